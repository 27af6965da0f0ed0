/* SPDX-License-Identifier: GPL-2.0 */
/*
 * charon's IKE_SAs and CHILD_SAs, beside the connections that carry them.
 */
#ifndef ESPTCP_IKE_H
#define ESPTCP_IKE_H

#include <json-c/json_object.h>

#include "snapshot.h"

/**
 * struct ike - what charon and the module say
 * @sas: charon's list-sa events, see vici(7)
 * @snapshot: the module's; empty if it is not loaded
 */
struct ike {
	struct json_object *sas;
	struct snapshot snapshot;
};

int ike_take(struct ike *ike);
void ike_free(struct ike *ike);
void ike_each(const struct ike *ike,
	      void (*visit)(const struct ike *ike, const char *name,
			    struct json_object *sa, void *arg), void *arg);
const struct conn *ike_conn(const struct ike *ike, struct json_object *sa);
const struct conn *ike_child_conn(const struct ike *ike,
				  struct json_object *child);
const char *ike_text(struct json_object *sa, const char *name);
__u64 ike_number(struct json_object *sa, const char *name);

#endif /* ESPTCP_IKE_H */
