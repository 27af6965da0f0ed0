// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp tunnels: prints charon's CHILD_SAs, what passed through them, and the
 * connections that they travel in.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "lib/ike.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/text.h"

/* Print one end's networks, between commas. */
static void print_networks(struct json_object *child, const char *name)
{
	struct json_object *list = json_get_array(child, name);
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++)
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
	       text_size(size, ike_number(child, bytes)));
}

static void print_tunnel(const char *gateway, struct json_object *child,
			 const struct transport *transport)
{
	char age[AGE_STRLEN];

	print_coloured(COLOUR_BOLD, "tunnel %s of gateway %s\n",
		       ike_text(child, "name"), gateway);
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
	       text_age(age, ike_number(child, "install-time"), false));
}

/* As in the other commands: charon leaves "0x" out. There may be none yet. */
static void add_spi(struct json_object *object, const char *name,
		    struct json_object *child)
{
	const char *spi = ike_text(child, name);
	char text[sizeof("0x01234567")];

	snprintf(text, sizeof(text), "0x%s", spi);
	json_add_text(object, name, strcmp(spi, "-") ? text : spi);
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

	json_add_text(object, "gateway", gateway);
	transport_json(object, transport);
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		json_add_text(object, texts[i], ike_text(child, texts[i]));
	add_spi(object, "spi-in", child);
	add_spi(object, "spi-out", child);
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		json_add_number(object, numbers[i], ike_number(child, numbers[i]));
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		list = json_get_array(child, lists[i]);
		if (list)
			json_object_object_add(object, lists[i],
					       json_object_get(list));
	}
	json_object_array_add(array, object);
}

static size_t show(const struct ike *ike, const char *name,
		   struct json_object *sa, struct json_object *array)
{
	struct json_object *children = json_get_object(sa, "child-sas");

	if (!children)
		return 0;
	json_object_object_foreach(children, key, child) {
		struct transport transport =
			ike_child_transport(ike, sa, child);

		(void)key;
		if (array)
			add_tunnel(array, name, child, &transport);
		else
			print_tunnel(name, child, &transport);
	}

	return json_object_object_length(children);
}

int tunnels_main(char **args)
{
	return ike_command(args, show, "no tunnels: charon has no CHILD_SA");
}
