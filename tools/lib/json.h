/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON for programs, on stdout. main() finds out whether that worked.
 */
#ifndef ESPTCP_JSON_H
#define ESPTCP_JSON_H

#include <stdbool.h>

#include <json-c/json.h>

#include "address.h"

void json_add_number(struct json_object *object, const char *name, __u64 value);
void json_add_text(struct json_object *object, const char *name,
		   const char *value);
void json_add_bool(struct json_object *object, const char *name, bool value);
void json_add_address(struct json_object *object, const char *name,
		      const struct address *address);
struct json_object *json_get(struct json_object *object, const char *name);
struct json_object *json_get_object(struct json_object *object,
				    const char *name);
struct json_object *json_get_array(struct json_object *object,
				   const char *name);
const char *json_text(struct json_object *object, const char *name,
		      const char *fallback);
bool json_is(struct json_object *value, const char *text);
void json_print(struct json_object *object);
void json_print_line(struct json_object *object);

#endif /* ESPTCP_JSON_H */
