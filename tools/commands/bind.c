// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp bind and unbind: send the ESP of one SA through a connection, or no
 * longer.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/error.h"
#include "lib/netlink.h"

static const struct remedy bind_remedies[] = {
	{ ENOENT, "bind takes a connection that exists: \"esptcp show\" lists them" },
	{ ENOTCONN, "bind the SA to the connection that follows it" },
	{ EAFNOSUPPORT, "the SA's address must be IPv4 if the connection's are, or IPv6" },
	{ EXDEV, "run esptcp in the socket's network namespace" },
	{ ENOTSOCK, "fd takes the descriptor of an attached TCP socket" },
	{ EPROTONOSUPPORT, "fd takes the descriptor of an attached TCP socket" },
	{ }
};

static const struct remedy unbind_remedies[] = {
	{ ENOENT, "unbind takes a binding that exists: \"esptcp show\" lists them" },
	{ }
};

/* SPIs of 1 to 255 are reserved (RFC 4303 section 2.1), 0 means "no SA".
 * charon prints SPIs as eight hexadecimal digits without 0x. With a letter
 * among them one could guess, without one it would be wrong: nobody guesses.
 */
static int take_spi(char ***args, __u32 *spi)
{
	const char *text = (*args)[0];
	int status;

	status = args_number(args, "an SPI of 0x100 to 0xffffffff", 0x100,
			     UINT_MAX, spi);
	if (status && text && *text && strlen(text) <= 8 &&
	    text[strspn(text, "0123456789abcdefABCDEF")] == '\0')
		fprintf(stderr, "  if it is hexadecimal: 0x%s\n", text);

	return status;
}

/* An SA's direction, then its SPI and destination in any order, and the end */
static int take_sa(char **args, struct binding *binding)
{
	int status;

	status = args_name(&args, "'in' or 'out'", &dir_names, &binding->dir);
	while (!status && !(binding->spi && binding->daddr.len)) {
		const char *keyword = args[0];

		if (keyword)
			args++;
		if (keyword && !strcmp(keyword, "spi"))
			status = take_spi(&args, &binding->spi);
		else if (keyword && !strcmp(keyword, "daddr"))
			status = args_address(&args, &binding->daddr);
		else
			status = args_error(binding->spi ? "daddr" : "spi",
					    keyword);
	}

	return status ? status : args_end(args);
}

/* The connection has a number, or is the one whose socket is open as fd. */
int bind_main(char **args)
{
	bool by_fd = args_next_is(args, "fd");
	struct binding binding = { };
	struct genl genl;
	int status;
	__u32 fd;
	int err;

	if (!by_fd && !args_next_is(args, "conn"))
		return args_error("conn or fd", args[0]);
	args++;
	status = by_fd ? args_fd(&args, &fd) :
		 args_id(&args, &binding.conn_id);
	if (!status)
		status = take_sa(args, &binding);
	if (status)
		return status;

	err = genl_open(&genl);
	if (!err) {
		err = by_fd ? binding_set_by_fd(&genl, &binding, fd) :
		      binding_set(&genl, &binding);
		genl_close(&genl);
	}

	return err ? error_kernel(err, genl.message, bind_remedies) : 0;
}

int unbind_main(char **args)
{
	bool all = args_next_is(args, "all");
	struct binding binding = { };
	struct genl genl;
	int status;
	int err;

	status = all ? args_end(args + 1) : take_sa(args, &binding);
	if (status)
		return status;

	err = genl_open(&genl);
	if (!err) {
		err = all ? binding_delete_all(&genl) :
		      binding_delete(&genl, &binding);
		genl_close(&genl);
	}

	return err ? error_kernel(err, genl.message, unbind_remedies) : 0;
}
