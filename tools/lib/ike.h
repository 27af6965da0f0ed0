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

/**
 * struct transport - how packets reach the peer
 * @name: "tcp", "udp" or "esp"
 * @conn: the connection; NULL with "tcp" if there is none: nothing passes
 */
struct transport {
	const char *name;
	const struct conn *conn;
};

typedef size_t (*ike_show_fn)(const struct ike *ike, const char *name,
			      struct json_object *sa,
			      struct json_object *array);

int ike_command(char **args, ike_show_fn show, const char *nothing);
struct transport ike_transport(const struct ike *ike, struct json_object *sa);
struct transport ike_child_transport(const struct ike *ike,
				     struct json_object *sa,
				     struct json_object *child);
const char *ike_text(struct json_object *sa, const char *name);
__u64 ike_number(struct json_object *sa, const char *name);
void transport_print(const struct transport *transport);
void transport_json(struct json_object *object,
		    const struct transport *transport);

#endif /* ESPTCP_IKE_H */
