// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp bind: sends the ESP of one SA through a connection.
 */
#include <errno.h>
#include <stdbool.h>

#include "commands.h"
#include "lib/netlink.h"
#include "lib/args.h"
#include "lib/error.h"

static const struct remedy remedies[] = {
	{ ENOENT, "bind takes a connection that exists: \"esptcp show\" lists them" },
	{ ENOTCONN, "bind the SA to the connection that follows it" },
	{ EAFNOSUPPORT, "the SA's address must be IPv4 if the connection's are, or IPv6" },
	{ EXDEV, "run esptcp in the socket's network namespace" },
	{ ENOTSOCK, "fd takes the descriptor of an attached TCP socket" },
	{ EPROTONOSUPPORT, "fd takes the descriptor of an attached TCP socket" },
	{ }
};

/* The connection has a number, or is the one whose socket is open as fd. */
static int take_conn(char ***args, __u32 *id, __u32 *fd, bool *by_fd)
{
	*by_fd = args_next_is(*args, "fd");
	if (!*by_fd && !args_next_is(*args, "conn"))
		return args_error("conn or fd", (*args)[0]);
	(*args)++;

	return *by_fd ? args_fd(args, fd) : args_id(args, id);
}

int bind_main(char **args)
{
	struct binding binding = { };
	struct genl genl;
	bool by_fd;
	int status;
	__u32 fd;
	int err;

	status = take_conn(&args, &binding.conn_id, &fd, &by_fd);
	if (!status)
		status = args_sa(&args, &binding);
	if (!status)
		status = args_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return error_kernel(&genl, err, NULL);

	if (by_fd)
		err = binding_set_by_fd(&genl, &binding, fd);
	else
		err = binding_set(&genl, &binding);
	genl_close(&genl);
	if (err)
		return error_kernel(&genl, err, remedies);

	return 0;
}
