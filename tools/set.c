// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp set: changes how a connection puts ESP on the wire.
 */
#include <errno.h>
#include <stddef.h>

#include "commands.h"
#include "framing.h"
#include "netlink.h"
#include "parse.h"
#include "report.h"

static const struct remedy remedies[] = {
	{ ENOENT, "set takes the number of a connection: \"esptcp show\" lists them" },
	{ ENOTCONN, "the connection has ended: wait for the daemon to open another" },
	{ EBUSY, "a connection keeps its framing: open another one" },
	{ }
};

int set_main(char **args)
{
	struct framing framing = { };
	int status = 0, err;
	struct genl genl;
	__u32 id;

	status = take_id(&args, &id);
	if (!status && !args[0])
		status = usage_error("framing", NULL);
	while (!status && args[0]) {
		const char *keyword = *args++;

		status = framing_takes(keyword) ?
				 take_framing(&args, keyword, &framing) :
				 usage_error("framing or one of its options",
					     keyword);
	}
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return kernel_error(&genl, err, NULL);
	err = conn_set(&genl, id, &framing);
	genl_close(&genl);

	return err ? kernel_error(&genl, err, remedies) : 0;
}
