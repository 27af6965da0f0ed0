// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp gateways: prints charon's IKE_SAs and how they reach their peers.
 */
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "colour.h"
#include "commands.h"
#include "ike.h"
#include "json.h"
#include "parse.h"
#include "print.h"

static const char *role_of(struct json_object *sa)
{
	return !strcmp(ike_text(sa, "initiator"), "yes") ? "initiator" :
		"responder";
}

static size_t children_of(struct json_object *sa)
{
	struct json_object *children = ike_children(sa);

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
			  struct json_object *sa, void *arg)
{
	const struct transport transport = ike_transport(ike, sa);
	char age[AGE_STRLEN];

	colour_on(COLOUR_BOLD);
	printf("gateway %s\n", name);
	colour_off();
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
	puts(age_text(age, ike_number(sa, "established"), false));
	print_label("tunnels");
	printf("%zu\n\n", children_of(sa));
}

static void add_gateway(const struct ike *ike, const char *name,
			struct json_object *sa, void *array)
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

	add_text(object, "name", name);
	add_text(object, "role", role_of(sa));
	transport_json(object, &transport);
	for (i = 0; i < ARRAY_SIZE(texts); i++)
		add_text(object, texts[i], ike_text(sa, texts[i]));
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		add_number(object, numbers[i], ike_number(sa, numbers[i]));
	add_number(object, "tunnels", children_of(sa));
	json_object_array_add(array, object);
}

int gateways_main(char **args)
{
	bool json = take_json(args);
	struct json_object *array;
	struct ike ike;
	int status;

	status = take_end(args);
	if (status)
		return status;

	status = ike_take(&ike);
	if (!status && json) {
		array = json_object_new_array();
		ike_each(&ike, add_gateway, array);
		print_json(array);
	} else if (!status) {
		if (!json_object_array_length(ike.sas))
			puts("no gateways: charon has no IKE_SA");
		ike_each(&ike, print_gateway, NULL);
	}
	ike_free(&ike);

	return status;
}
