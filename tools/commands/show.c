// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp show: prints the connections, their SAs, TCP's view and all counters.
 */
#include "commands.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/args.h"
#include "lib/print.h"
#include "lib/snapshot.h"

int show_main(char **args)
{
	bool brief = args_option(args, "--brief", "-b");
	bool json = args_json(args);
	struct snapshot snapshot;
	struct filter filter;
	int status;

	status = filter_take(&args, &filter);
	if (status)
		return status;

	status = snapshot_take(&snapshot);
	if (!status) {
		filter_apply(&filter, &snapshot);
		if (json)
			json_snapshot(&snapshot);
		else if (brief)
			print_table(&snapshot);
		else
			print_snapshot(&snapshot, !filter.any);
	}
	snapshot_free(&snapshot);

	return status;
}
