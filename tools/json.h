/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints for programs, on stdout. main() finds out whether that worked.
 */
#ifndef ESPTCP_JSON_H
#define ESPTCP_JSON_H

#include <json-c/json_object.h>

#include "netlink.h"
#include "snapshot.h"

void add_number(struct json_object *object, const char *name, __u64 value);
void add_text(struct json_object *object, const char *name, const char *value);
void add_address(struct json_object *object, const char *name,
		 const struct address *address);
void print_json(struct json_object *object);

void json_snapshot(const struct snapshot *snapshot);
void json_counters(const struct counters *counters);
void json_id(__u32 id);
void json_event(const struct event *event);

#endif /* ESPTCP_JSON_H */
