// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp tunnels: prints charon's CHILD_SAs, what passed through them, and the
 * connections that they travel in.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "array.h"
#include "colour.h"
#include "commands.h"
#include "ike.h"
#include "json.h"
#include "parse.h"
#include "print.h"

/**
 * struct visit - a walk through the tunnels of all gateways
 * @array: where they are added for JSON, or NULL to print them
 * @count: tunnels so far
 */
struct visit {
	struct json_object *array;
	size_t count;
};

/* Print one end's networks, between commas. */
static void print_networks(struct json_object *child, const char *name)
{
	struct json_object *list;
	size_t i;

	if (!json_object_object_get_ex(child, name, &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (i = 0; i < json_object_array_length(list); i++)
		printf("%s%s", i ? ", " : "",
		       json_object_get_string(json_object_array_get_idx(list,
									i)));
}

static void print_direction(const char *label, struct json_object *child,
			    const char *spi, const char *packets,
			    const char *bytes)
{
	char size[SIZE_STRLEN];

	print_label(label);
	printf("SPI 0x%s  %12llu packets   %s\n", ike_text(child, spi),
	       ike_number(child, packets),
	       size_text(size, ike_number(child, bytes)));
}

static void print_tunnel(const char *gateway, struct json_object *child,
			 const struct transport *transport)
{
	char age[AGE_STRLEN];

	colour_on(COLOUR_BOLD);
	printf("tunnel %s of gateway %s\n", ike_text(child, "name"), gateway);
	colour_off();
	print_label("networks");
	print_networks(child, "local-ts");
	fputs(" - ", stdout);
	print_networks(child, "remote-ts");
	putchar('\n');
	print_label("state");
	printf("%s, %s mode\n", ike_text(child, "state"),
	       ike_text(child, "mode"));
	transport_print(transport);
	print_direction("in", child, "spi-in", "packets-in", "bytes-in");
	print_direction("out", child, "spi-out", "packets-out", "bytes-out");
	print_label("age");
	printf("%s\n\n",
	       age_text(age, ike_number(child, "install-time"), false));
}

/* As in the other commands: charon leaves "0x" out. There may be none yet. */
static void add_spi(struct json_object *object, const char *name,
		    struct json_object *child)
{
	const char *spi = ike_text(child, name);
	char text[sizeof("0x01234567")];

	snprintf(text, sizeof(text), "0x%s", spi);
	add_text(object, name, strcmp(spi, "-") ? text : spi);
}

static void add_tunnel(struct json_object *array, const char *gateway,
		       struct json_object *child,
		       const struct transport *transport)
{
	static const char * const texts[] = { "name", "state", "mode" };
	static const char * const numbers[] = {
		"packets-in", "bytes-in", "packets-out", "bytes-out",
		"install-time",
	};
	static const char * const lists[] = { "local-ts", "remote-ts" };
	struct json_object *object = json_object_new_object();
	struct json_object *list;
	size_t i;

	add_text(object, "gateway", gateway);
	transport_json(object, transport);
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		add_text(object, texts[i], ike_text(child, texts[i]));
	add_spi(object, "spi-in", child);
	add_spi(object, "spi-out", child);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		add_number(object, numbers[i], ike_number(child, numbers[i]));
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		if (json_object_object_get_ex(child, lists[i], &list))
			json_object_object_add(object, lists[i],
					       json_object_get(list));
	}
	json_object_array_add(array, object);
}

static void visit_gateway(const struct ike *ike, const char *name,
			  struct json_object *sa, void *arg)
{
	struct json_object *children = ike_children(sa);
	struct visit *visit = arg;

	if (!children)
		return;
	json_object_object_foreach(children, key, child) {
		struct transport transport =
			ike_child_transport(ike, sa, child);

		(void)key;
		visit->count++;
		if (visit->array)
			add_tunnel(visit->array, name, child, &transport);
		else
			print_tunnel(name, child, &transport);
	}
}

int tunnels_main(char **args)
{
	bool json = take_json(args);
	struct visit visit = { };
	struct ike ike;
	int status;

	status = take_end(args);
	if (status)
		return status;

	status = ike_take(&ike);
	if (!status) {
		if (json)
			visit.array = json_object_new_array();
		ike_each(&ike, visit_gateway, &visit);
		if (json)
			print_json(visit.array);
		else if (!visit.count)
			puts("no tunnels: charon has no CHILD_SA");
	}
	ike_free(&ike);

	return status;
}
