// SPDX-License-Identifier: GPL-2.0
/*
 * JSON for programs: adds members, finds them, prints the whole.
 */
#include <stdio.h>
#include <string.h>

#include "json.h"

void json_add_number(struct json_object *object, const char *name, __u64 value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

void json_add_text(struct json_object *object, const char *name,
		   const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

void json_add_bool(struct json_object *object, const char *name, bool value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

void json_add_address(struct json_object *object, const char *name,
		      const struct address *address)
{
	char text[INET6_ADDRSTRLEN];

	json_add_text(object, name, address_text(text, address));
}

/* A member, or NULL if there is none, or @object is no object */
struct json_object *json_get(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);

	return value;
}

/* A member that is an object, or NULL if there is none of the name */
struct json_object *json_get_object(struct json_object *object,
				    const char *name)
{
	struct json_object *value = json_get(object, name);

	return json_object_is_type(value, json_type_object) ? value : NULL;
}

/* A member that is an array, likewise */
struct json_object *json_get_array(struct json_object *object, const char *name)
{
	struct json_object *value = json_get(object, name);

	return json_object_is_type(value, json_type_array) ? value : NULL;
}

/* A member as text, or the fallback if there is none */
const char *json_text(struct json_object *object, const char *name,
		      const char *fallback)
{
	struct json_object *value = json_get(object, name);

	return value ? json_object_get_string(value) : fallback;
}

/* Whether a value is this text */
bool json_is(struct json_object *value, const char *text)
{
	return json_object_is_type(value, json_type_string) &&
		!strcmp(json_object_get_string(value), text);
}

static void print(struct json_object *object, int flags)
{
	puts(json_object_to_json_string_ext(object, flags |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* Print an object, which is freed. */
void json_print(struct json_object *object)
{
	print(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

/* The same in one line, so that a reader of a stream knows where it ends */
void json_print_line(struct json_object *object)
{
	print(object, JSON_C_TO_STRING_PLAIN);
}
