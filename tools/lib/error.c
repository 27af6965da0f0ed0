// SPDX-License-Identifier: GPL-2.0
/*
 * Messages about errors, for all commands.
 */
#include <ctype.h>
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

static const char *find_remedy(const struct remedy *remedy, int error)
{
	while (remedy->error && remedy->error != error)
		remedy++;

	return remedy->text;
}

/* A minus sign alone, or before a number, begins no option. */
bool args_is_option(const char *word)
{
	return word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]));
}

int args_error(const char *expected, const char *found)
{
	if (found && args_is_option(found)) {
		fprintf(stderr, "esptcp: there is no option '%s' here\n",
			found);
		return EXIT_USAGE;
	}

	fprintf(stderr, "esptcp: expected %s, found ", expected);
	if (found)
		fprintf(stderr, "'%s'\n", found);
	else
		fputs("nothing\n", stderr);

	return EXIT_USAGE;
}

/* The kernel's own words say more than the error's name, if there are any. */
int error_kernel(const struct genl *genl, int error,
		 const struct remedy *remedies)
{
	const char *what = strerror(-error);
	const char *remedy = NULL;

	if (genl->message[0])
		what = genl->message;
	else if (error == -ENOPKG)
		what = "the module esptcp is not loaded";

	if (remedies)
		remedy = find_remedy(remedies, -error);
	if (!remedy)
		remedy = find_remedy(common_remedies, -error);

	fprintf(stderr, "esptcp: %s\n", what);
	if (remedy)
		fprintf(stderr, "  %s\n", remedy);

	return EXIT_FAILURE;
}

/* What errno's of the socket to charon mean */
static const char *charon_text(int error)
{
	switch (error) {
	case -ENOPKG:
		return "there is no libvici";
	case -ENOENT:
	case -ECONNREFUSED:
		return "it does not run, or its plugin vici is not loaded";
	default:
		return strerror(-error);
	}
}

int error_charon(int error, const struct remedy *remedies)
{
	const char *remedy = find_remedy(remedies, -error);

	fprintf(stderr, "esptcp: charon cannot be asked: %s\n",
		charon_text(error));
	if (remedy)
		fprintf(stderr, "  %s\n", remedy);

	return EXIT_FAILURE;
}
