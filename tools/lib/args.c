// SPDX-License-Identifier: GPL-2.0
/*
 * Parses the arguments of the commands.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "error.h"

/* A minus sign alone, or before a number, begins no option. */
bool args_is_option(const char *word)
{
	return word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]));
}

bool args_next_is(char **args, const char *keyword)
{
	return args[0] && !strcmp(args[0], keyword);
}

/**
 * args_option() - see whether an option is among the arguments
 * @args: the arguments; the option is removed, wherever it is
 * @name: of the option
 * @letter: its short form
 *
 * Return: true if it was there
 */
bool args_option(char **args, const char *name, const char *letter)
{
	while (*args && strcmp(*args, name) && strcmp(*args, letter))
		args++;
	if (!*args)
		return false;

	for (; *args; args++)
		args[0] = args[1];

	return true;
}

bool args_json(char **args)
{
	return args_option(args, "--json", "-j");
}

/**
 * args_is_number() - read a number
 * @text: decimal, or hexadecimal after 0x; strtoull() alone would also take
 *	signs, blanks and octal numbers
 * @min: smallest
 * @max: largest
 * @number: filled
 *
 * Return: true if it is one
 */
bool args_is_number(const char *text, __u32 min, __u32 max, __u32 *number)
{
	unsigned long long value;
	char *end;
	int base;

	if (!isdigit((unsigned char)text[0]))
		return false;

	base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || *end || value < min || value > max)
		return false;
	*number = value;

	return true;
}

int args_number(char ***args, const char *expected, __u32 min, __u32 max,
		__u32 *number)
{
	if (!(*args)[0] || !args_is_number((*args)[0], min, max, number))
		return args_error(expected, (*args)[0]);
	(*args)++;

	return 0;
}

/* A word that stands for a number */
int args_name(char ***args, const char *expected, const struct names *names,
	      __u32 *number)
{
	if (!(*args)[0] || !names_number(names, (*args)[0], number))
		return args_error(expected, (*args)[0]);
	(*args)++;

	return 0;
}

int args_id(char ***args, __u32 *id)
{
	return args_number(args, "the number of a connection", 1, UINT_MAX, id);
}

int args_port(char ***args, __u32 *port)
{
	return args_number(args, "a port of 1 to 65535", 1, 65535, port);
}

/* To be called before this process opens anything: a descriptor that the
 * parent did not pass on must not be found open.
 */
int args_fd(char ***args, __u32 *fd)
{
	char what[64];
	int status;

	status = args_number(args, "the number of a file descriptor", 0,
			     INT_MAX, fd);
	if (status || fcntl(*fd, F_GETFD) >= 0)
		return status;

	snprintf(what, sizeof(what), "descriptor %u is not open", *fd);

	return error_print(what, "the parent must pass it on, without close-on-exec");
}

int args_address(char ***args, struct address *address)
{
	if (!(*args)[0] || !address_parse(address, (*args)[0]))
		return args_error("an IPv4 or IPv6 address", (*args)[0]);
	(*args)++;

	return 0;
}

/* An address, or a network: an address and the length of its prefix. */
int args_network(char ***args, struct address *address, __u32 *bits)
{
	static const char expected[] = "an address, or a network as 192.0.2.0/24";
	char *text = (*args)[0];
	char *slash = text ? strchr(text, '/') : NULL;
	char *length[2] = { };
	char **rest = length;
	bool valid;

	if (slash) {
		length[0] = slash + 1;
		*slash = '\0';
	}
	valid = text && address_parse(address, text);
	if (slash)
		*slash = '/';
	if (!valid)
		return args_error(expected, text);

	(*args)++;
	*bits = address->len * 8;

	return slash ? args_number(&rest, expected, 0, *bits, bits) : 0;
}

int args_end(char **args)
{
	return args[0] ? args_error("no more arguments", args[0]) : 0;
}

int args_error(const char *expected, const char *found)
{
	if (found && args_is_option(found))
		fprintf(stderr, "esptcp: there is no option '%s' here\n",
			found);
	else if (found)
		fprintf(stderr, "esptcp: expected %s, found '%s'\n", expected,
			found);
	else
		fprintf(stderr, "esptcp: expected %s, found nothing\n",
			expected);

	return EXIT_USAGE;
}
