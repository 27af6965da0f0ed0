// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp stat and esptcp drops: print the counters of the network namespace,
 * all of them by name, or which packets were dropped, why, and what to do.
 */
#include <stdio.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/netlink.h"
#include "lib/print.h"

static int take_counters(char **args, struct counters *counters)
{
	struct genl genl;
	int status;
	int err;

	status = args_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (!err) {
		err = counters_get(&genl, counters);
		genl_close(&genl);
	}

	return err ? error_kernel(err, genl.message, NULL) : 0;
}

int stat_main(char **args)
{
	bool json = args_json(args);
	struct counters counters;
	int status;
	__u32 i = 0;

	status = take_counters(args, &counters);
	if (status)
		return status;
	if (json) {
		json_print(counters_json(&counters));
		return 0;
	}
	while (counters_next(COUNTERS_ALL, &i))
		printf("%-24s %llu\n", counters_name(i), counters.value[i]);

	return 0;
}

static void print_drop(__u32 i, __u64 packets)
{
	print_coloured(COLOUR_YELLOW, "%12llu", packets);
	printf("  %s\n%14s", counters_name(i), "");
	print_wrapped(14, counters_meaning(i));
	if (counters_advice(i)) {
		fputs("              -> ", stdout);
		print_wrapped(17, counters_advice(i));
	}
}

static void add_drop(struct json_object *array, __u32 i, __u64 packets)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "name", counters_name(i));
	json_add_number(object, "packets", packets);
	json_add_text(object, "meaning", counters_meaning(i));
	if (counters_advice(i))
		json_add_text(object, "remedy", counters_advice(i));
	json_object_array_add(array, object);
}

int drops_main(char **args)
{
	struct json_object *array = NULL;
	bool json = args_json(args);
	struct counters counters;
	int status;
	__u32 i = 0;

	status = take_counters(args, &counters);
	if (status)
		return status;
	if (json)
		array = json_object_new_array();
	while (counters_next(COUNTERS_DROPS, &i)) {
		if (!counters.value[i])
			continue;
		if (json)
			add_drop(array, i, counters.value[i]);
		else
			print_drop(i, counters.value[i]);
	}
	if (json)
		json_print(array);
	else if (!counters_sum(&counters, COUNTERS_DROPS))
		puts("nothing was dropped");

	return 0;
}
