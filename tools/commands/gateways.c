// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp gateways: prints charon's IKE_SAs and how they reach their peers.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "lib/ike.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/text.h"

static const char *role_of(struct json_object *sa)
{
	return !strcmp(ike_text(sa, "initiator"), "yes") ? "initiator" :
		"responder";
}

static size_t children_of(struct json_object *sa)
{
	struct json_object *children = json_get_object(sa, "child-sas");

	return children ? json_object_object_length(children) : 0;
}

static void print_endpoint(const char *label, struct json_object *sa,
			   const char *host, const char *port, const char *id)
{
	print_label(label);
	printf("%s port %s, as %s\n", ike_text(sa, host), ike_text(sa, port),
	       ike_text(sa, id));
}

static void print_gateway(const struct ike *ike, const char *name,
			  struct json_object *sa)
{
	const struct transport transport = ike_transport(ike, sa);
	char age[AGE_STRLEN];

	print_coloured(COLOUR_BOLD, "gateway %s\n", name);
	print_endpoint("local", sa, "local-host", "local-port", "local-id");
	print_endpoint("remote", sa, "remote-host", "remote-port",
		       "remote-id");
	transport_print(&transport);
	print_label("IKE");
	printf("version %s, %s, %s\n", ike_text(sa, "version"), role_of(sa),
	       ike_text(sa, "state"));
	print_label("SPIs");
	printf("initiator %s, responder %s\n", ike_text(sa, "initiator-spi"),
	       ike_text(sa, "responder-spi"));
	print_label("age");
	puts(text_age(age, ike_number(sa, "established"), false));
	print_label("tunnels");
	printf("%zu\n\n", children_of(sa));
}

static void add_gateway(const struct ike *ike, const char *name,
			struct json_object *sa, struct json_object *array)
{
	static const char * const texts[] = {
		"state", "local-host", "local-id", "remote-host", "remote-id",
		"initiator-spi", "responder-spi",
	};
	static const char * const numbers[] = {
		"version", "local-port", "remote-port", "established",
	};
	struct json_object *object = json_object_new_object();
	const struct transport transport = ike_transport(ike, sa);
	size_t i;

	json_add_text(object, "name", name);
	json_add_text(object, "role", role_of(sa));
	transport_json(object, &transport);
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		json_add_text(object, texts[i], ike_text(sa, texts[i]));
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		json_add_number(object, numbers[i], ike_number(sa, numbers[i]));
	json_add_number(object, "tunnels", children_of(sa));
	json_object_array_add(array, object);
}

static size_t show(const struct ike *ike, const char *name,
		   struct json_object *sa, struct json_object *array)
{
	if (array)
		add_gateway(ike, name, sa, array);
	else
		print_gateway(ike, name, sa);

	return 1;
}

int gateways_main(char **args)
{
	return ike_command(args, show, "no gateways: charon has no IKE_SA");
}
