// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp stat: prints the counters of the network namespace.
 */
#include "commands.h"
#include "json.h"
#include "netlink.h"
#include "parse.h"
#include "print.h"
#include "report.h"

int stat_main(char **args)
{
	struct counters counters = { };
	struct genl genl;
	bool json = take_json(args);
	int status;
	int err;

	status = take_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return kernel_error(&genl, err, NULL);

	err = stats_get(&genl, &counters);
	genl_close(&genl);
	if (err)
		return kernel_error(&genl, err, NULL);

	if (json)
		json_counters(&counters);
	else
		print_counters(&counters);

	return 0;
}
