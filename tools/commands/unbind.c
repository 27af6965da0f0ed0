// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp unbind: forgets that an SA, or every SA, travels in a connection.
 */
#include <errno.h>
#include <stdbool.h>

#include "commands.h"
#include "lib/netlink.h"
#include "lib/args.h"
#include "lib/error.h"

static const struct remedy remedies[] = {
	{ ENOENT, "unbind takes a binding that exists: \"esptcp show\" lists them" },
	{ }
};

int unbind_main(char **args)
{
	struct binding binding = { };
	struct genl genl;
	int status = 0;
	bool all;
	int err;

	all = args_next_is(args, "all");
	if (all)
		args++;
	else
		status = args_sa(&args, &binding);
	if (!status)
		status = args_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return error_kernel(&genl, err, NULL);

	if (all)
		err = binding_delete_all(&genl);
	else
		err = binding_delete(&genl, &binding);
	genl_close(&genl);
	if (err)
		return error_kernel(&genl, err, remedies);

	return 0;
}
