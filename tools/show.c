// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp show: prints the connections, their SAs, TCP's view and all counters.
 */
#include "commands.h"
#include "filter.h"
#include "json.h"
#include "parse.h"
#include "print.h"
#include "snapshot.h"

int show_main(char **args)
{
	bool brief = take_option(args, "--brief", "-b");
	bool json = take_json(args);
	struct snapshot snapshot;
	struct filter filter;
	int status;

	status = take_filter(&args, &filter);
	if (status)
		return status;

	status = snapshot_take(&snapshot);
	if (!status) {
		filter_snapshot(&filter, &snapshot);
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
