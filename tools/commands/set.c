// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp set: changes how a connection puts ESP on the wire.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/error.h"
#include "lib/netlink.h"

static const struct remedy remedies[] = {
	{ ENOENT, "set takes the number of a connection: \"esptcp show\" lists them" },
	{ ENOTCONN, "the connection has ended: wait for the daemon to open another" },
	{ EBUSY, "a connection keeps its framing: open another one" },
	{ }
};

/* Its SAs were agreed upon for ESP in the stream: the peer would not understand
 * segments.
 */
static bool has_sas(const struct conn *conn)
{
	return conn && conn->bindings &&
		conn->framing.kind == ESPTCP_FRAMING_RFC9329;
}

static int set_framing(struct genl *genl, __u32 id,
		       const struct framing *framing)
{
	struct conn_list conns = { };
	char what[128] = "";
	int err;

	err = conn_dump(genl, &conns);
	if (!err && has_sas(conn_find(&conns, id)))
		snprintf(what, sizeof(what),
			 "connection %u has SAs, whose ESP the peer expects in the stream",
			 id);
	free(conns.item);
	if (*what)
		return error_print(what,
				   "set the framing before SAs are bound: end the IKE_SA, and set it on the connection that is opened next");
	if (!err)
		err = conn_set(genl, id, framing);

	return err ? error_kernel(err, genl->message, remedies) : 0;
}

int set_main(char **args)
{
	struct framing framing = { };
	struct genl genl;
	int status, err;
	__u32 id;

	status = args_id(&args, &id);
	if (!status && !args[0])
		status = args_error("framing", NULL);
	while (!status && args[0]) {
		const char *keyword = *args++;

		status = framing_begins(keyword) ?
			 framing_take(&args, keyword, &framing) :
			 args_error("framing or one of its options", keyword);
	}
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return error_kernel(err, genl.message, NULL);
	status = set_framing(&genl, id, &framing);
	genl_close(&genl);

	return status;
}
