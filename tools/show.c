// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp show: prints the connections, their bindings and all counters.
 */
#include <errno.h>
#include <stdlib.h>

#include "commands.h"
#include "json.h"
#include "netlink.h"
#include "parse.h"
#include "print.h"
#include "report.h"
#include "snapshot.h"

/* Connections are public, as in /proc/net/tcp; SPIs are not. */
static int take_bindings(struct genl *genl, struct snapshot *snapshot)
{
	int err = binding_dump(genl, &snapshot->bindings);

	snapshot->bindings_known = !err;

	return err == -EPERM ? 0 : err;
}

static int take_snapshot(struct genl *genl, struct snapshot *snapshot)
{
	int err;

	err = conn_dump(genl, &snapshot->conns);
	if (!err)
		err = take_bindings(genl, snapshot);
	if (!err)
		err = stats_get(genl, &snapshot->total);

	return err;
}

int show_main(char **args)
{
	struct snapshot snapshot = { };
	struct genl genl;
	int status;
	bool json;
	int err;

	json = take_json(&args);
	status = take_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return kernel_error(&genl, err, NULL);

	err = take_snapshot(&genl, &snapshot);
	genl_close(&genl);
	if (err)
		status = kernel_error(&genl, err, NULL);
	else if (json)
		json_snapshot(&snapshot);
	else
		print_snapshot(&snapshot);

	free(snapshot.conns.item);
	free(snapshot.bindings.item);

	return status;
}
