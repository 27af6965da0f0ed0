// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp monitor: prints the module's events until it is interrupted.
 */
#include <errno.h>
#include <stdio.h>

#include "commands.h"
#include "lib/json.h"
#include "lib/netlink.h"
#include "lib/args.h"
#include "lib/print.h"
#include "lib/error.h"

/* Whoever reads the events from a pipe wants each at once. */
int monitor_main(char **args)
{
	bool json = args_json(args);
	struct genl genl;
	int status;
	int err;

	status = args_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return error_kernel(&genl, err, NULL);

	setvbuf(stdout, NULL, _IOLBF, 0);
	err = events_subscribe(&genl);
	while (!err && !ferror(stdout)) {
		err = events_receive(&genl, json ? json_event :
						   print_event);
		if (err == -ENOBUFS) {
			fputs("esptcp: events were lost\n", stderr);
			err = 0;
		}
	}
	genl_close(&genl);

	return err ? error_kernel(&genl, err, NULL) : 0;
}
