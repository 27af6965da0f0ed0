// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp attach: gives an open TCP socket to the module.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/netlink.h"

static const struct remedy remedies[] = {
	{ ENOTSOCK, "attach takes the descriptor of a connected TCP socket" },
	{ EPROTONOSUPPORT, "attach takes the descriptor of a connected TCP socket" },
	{ ENOTCONN, "the TCP connection must be established: connect or accept first" },
	{ EEXIST, "the socket belongs to esptcp, TLS or another protocol already" },
	{ EOPNOTSUPP, "MPTCP sockets cannot be attached: open a plain TCP socket" },
	{ EXDEV, "run esptcp in the socket's network namespace" },
	{ ENOENT, "replaces takes the number of a connection: \"esptcp show\" lists them" },
	{ }
};

/* What may follow the descriptor, in any order */
static int take_options(char **args, __u32 *role, __u32 *replaces,
			struct framing *framing)
{
	int status = 0;

	while (!status && args[0]) {
		const char *keyword = *args++;

		if (!strcmp(keyword, "role"))
			status = args_name(&args, "'originator' or 'responder'",
					   &role_names, role);
		else if (!strcmp(keyword, "replaces"))
			status = args_id(&args, replaces);
		else if (framing_begins(keyword))
			status = framing_take(&args, keyword, framing);
		else
			status = args_error("role, replaces or framing",
					    keyword);
	}

	return status;
}

static void print_id(__u32 id, bool json)
{
	struct json_object *object;

	if (!json) {
		printf("%u\n", id);
		return;
	}
	object = json_object_new_object();
	json_add_number(object, "id", id);
	json_print(object);
}

int attach_main(char **args)
{
	__u32 role = ESPTCP_ROLE_UNKNOWN;
	struct framing framing = { };
	bool json = args_json(args);
	__u32 replaces = 0;
	struct genl genl;
	__u32 fd, id;
	int status;
	int err;

	status = args_fd(&args, &fd);
	if (!status)
		status = take_options(args, &role, &replaces, &framing);
	if (status)
		return status;

	err = genl_open_loading(&genl);
	if (!err) {
		err = conn_attach(&genl, fd, role, replaces, &framing, &id);
		genl_close(&genl);
	}
	if (err)
		return error_kernel(err, genl.message, remedies);
	print_id(id, json);

	return 0;
}
