// SPDX-License-Identifier: GPL-2.0
/*
 * Messages about errors, for all commands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

/* These hold for every command; a command's own table is read first. */
static const struct remedy common_remedies[] = {
	{ ENOPKG, "load it, as root: modprobe esptcp" },
	{ EPERM, "this needs CAP_NET_ADMIN in the network namespace: run it as root" },
	{ EBADMSG, "esptcp and the module do not fit together: install both anew" },
	{ EINTR, "connections kept changing while they were listed: try again" },
	{ }
};

/**
 * error_remedy() - look an error up
 * @remedies: a table
 * @error: a negative errno
 *
 * Return: what to do, or NULL
 */
const char *error_remedy(const struct remedy *remedies, int error)
{
	while (remedies->error && remedies->error != -error)
		remedies++;

	return remedies->text;
}

/**
 * error_print() - tell the user
 * @what: what went wrong
 * @remedy: what to do, or NULL
 *
 * Return: the exit status that follows
 */
int error_print(const char *what, const char *remedy)
{
	fprintf(stderr, "esptcp: %s\n", what);
	if (remedy)
		fprintf(stderr, "  %s\n", remedy);

	return EXIT_FAILURE;
}

/**
 * error_kernel() - tell the user about an error of the kernel
 * @error: a negative errno
 * @message: the kernel's own words, or ""
 * @remedies: the command's own table, or NULL
 *
 * Return: the exit status that follows
 */
int error_kernel(int error, const char *message, const struct remedy *remedies)
{
	const char *remedy = NULL;

	if (remedies)
		remedy = error_remedy(remedies, error);
	if (!remedy)
		remedy = error_remedy(common_remedies, error);
	if (!*message)
		message = error == -ENOPKG ? "the module esptcp is not loaded" :
			  strerror(-error);

	return error_print(message, remedy);
}
