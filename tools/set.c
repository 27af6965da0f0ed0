// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp set: changes how a connection puts ESP on the wire.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Its SAs were agreed upon for ESP in the stream: the peer would not understand
 * segments. Return: whether it has some.
 */
static bool has_sas(const struct conn_list *conns, __u32 id)
{
	size_t i;

	for (i = 0; i < conns->count; i++) {
		const struct conn *conn = &conns->item[i];

		if (conn->id == id)
			return conn->bindings &&
				conn->framing.kind == ESPTCP_FRAMING_RFC9329;
	}

	return false;
}

static int set_framing(struct genl *genl, __u32 id,
		       const struct framing *framing)
{
	struct conn_list conns = { };
	bool refused;
	int err;

	err = conn_dump(genl, &conns);
	refused = !err && has_sas(&conns, id);
	free(conns.item);
	if (err)
		return kernel_error(genl, err, NULL);
	if (refused) {
		fprintf(stderr,
			"esptcp: connection %u has SAs, whose ESP the peer expects in the stream\n"
			"  set the framing before SAs are bound: end the IKE_SA, and set it on the connection that is opened next\n",
			id);
		return EXIT_FAILURE;
	}
	err = conn_set(genl, id, framing);

	return err ? kernel_error(genl, err, remedies) : 0;
}

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
	status = set_framing(&genl, id, &framing);
	genl_close(&genl);

	return status;
}
