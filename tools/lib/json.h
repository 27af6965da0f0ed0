/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints for programs, on stdout. main() finds out whether that worked.
 */
#ifndef ESPTCP_JSON_H
#define ESPTCP_JSON_H

#include <json-c/json_object.h>

#include "netlink.h"
#include "snapshot.h"

void json_add_number(struct json_object *object, const char *name, __u64 value);
void json_add_text(struct json_object *object, const char *name, const char *value);
void json_add_address(struct json_object *object, const char *name,
		      const struct address *address);
void json_print(struct json_object *object);

void json_snapshot(const struct snapshot *snapshot);
void json_counters(const struct counters *counters);
void json_id(__u32 id);
void json_event(const struct event *event);

#endif /* ESPTCP_JSON_H */
