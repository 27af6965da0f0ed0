// SPDX-License-Identifier: GPL-2.0
/*
 * What commands do that print the counters of the network namespace, and
 * esptcp stat, which prints all of them.
 */
#include "commands.h"
#include "lib/json.h"
#include "lib/netlink.h"
#include "lib/args.h"
#include "lib/print.h"
#include "lib/error.h"
#include "stat.h"

/**
 * counters_command() - run a command that prints counters
 * @args: its arguments
 * @print: prints them for people
 * @json: prints them as JSON
 *
 * Return: the exit status
 */
int counters_command(char **args,
		     void (*print)(const struct counters *counters),
		     void (*json)(const struct counters *counters))
{
	struct counters counters = { };
	bool as_json = args_json(args);
	struct genl genl;
	int status;
	int err;

	status = args_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return error_kernel(&genl, err, NULL);

	err = stats_get(&genl, &counters);
	genl_close(&genl);
	if (err)
		return error_kernel(&genl, err, NULL);

	if (as_json)
		json(&counters);
	else
		print(&counters);

	return 0;
}

int stat_main(char **args)
{
	return counters_command(args, print_counters, json_counters);
}
