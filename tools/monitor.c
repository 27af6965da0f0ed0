// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp monitor: prints the module's events until it is interrupted.
 */
#include <errno.h>
#include <stdio.h>

#include "commands.h"
#include "json.h"
#include "netlink.h"
#include "parse.h"
#include "print.h"
#include "report.h"

/* Whoever reads the events from a pipe wants each at once. */
int monitor_main(char **args)
{
	bool json = take_json(args);
	struct genl genl;
	int status;
	int err;

	status = take_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return kernel_error(&genl, err, NULL);

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

	return err ? kernel_error(&genl, err, NULL) : 0;
}
