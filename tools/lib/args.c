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

#include "address.h"
#include "names.h"
#include "args.h"
#include "error.h"

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

/* Decimal, or hexadecimal after 0x. strtoull() alone would also take signs,
 * blanks and octal numbers.
 */
static int take_number(char ***args, const char *what, __u32 min,
		       __u32 max, __u32 *number)
{
	const char *text = (*args)[0];
	unsigned long long value;
	char *end;
	int base;

	if (!text || !isdigit((unsigned char)text[0]))
		return args_error(what, (*args)[0]);

	base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno || *end || value < min || value > max)
		return args_error(what, (*args)[0]);

	*number = value;
	(*args)++;

	return 0;
}

int args_id(char ***args, __u32 *id)
{
	return take_number(args, "the number of a connection", 1, UINT_MAX,
			   id);
}

int args_port(char ***args, __u32 *port)
{
	return take_number(args, "a port of 1 to 65535", 1, 65535, port);
}

/* To be called before this process opens anything: a descriptor that the
 * parent did not pass on must not be found open.
 */
int args_fd(char ***args, __u32 *fd)
{
	int status;

	status = take_number(args, "the number of a file descriptor", 0,
			     INT_MAX, fd);
	if (status)
		return status;

	if (fcntl(*fd, F_GETFD) < 0) {
		fprintf(stderr, "esptcp: descriptor %u is not open\n"
			"  the parent must pass it on, without close-on-exec\n",
			*fd);
		return EXIT_FAILURE;
	}

	return 0;
}

static int take_address(char ***args, struct address *address)
{
	if (!(*args)[0] || !address_parse(address, (*args)[0]))
		return args_error("an IPv4 or IPv6 address", (*args)[0]);
	(*args)++;

	return 0;
}

/* An address, or a network: an address and the length of its prefix. */
int args_network(char ***args, struct address *address, __u32 *bits)
{
	static const char what[] = "an address, or a network as 192.0.2.0/24";
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
		return args_error(what, text);

	(*args)++;
	*bits = address->len * 8;

	return slash ? take_number(&rest, what, 0, *bits, bits) : 0;
}

int args_role(char ***args, __u32 *role)
{
	if (!(*args)[0] || !names_number(&role_names, (*args)[0], role))
		return args_error("'originator' or 'responder'", (*args)[0]);
	(*args)++;

	return 0;
}

static int take_dir(char ***args, __u32 *dir)
{
	if (!(*args)[0] || !names_number(&dir_names, (*args)[0], dir))
		return args_error("'in' or 'out'", (*args)[0]);
	(*args)++;

	return 0;
}

/* SPIs of 1 to 255 are reserved (RFC 4303 section 2.1), 0 means "no SA".
 * charon prints SPIs as eight hexadecimal digits without 0x. With a letter
 * among them one could guess, without one it would be wrong: nobody guesses.
 */
static int take_spi(char ***args, __u32 *spi)
{
	const char *text = (*args)[0];
	int status;

	status = take_number(args, "an SPI of 0x100 to 0xffffffff", 0x100,
			     UINT_MAX, spi);
	if (status && text && *text && strlen(text) <= 8 &&
	    text[strspn(text, "0123456789abcdefABCDEF")] == '\0')
		fprintf(stderr, "  if it is hexadecimal: 0x%s\n", text);

	return status;
}

/* An SA's direction, then its SPI and destination in any order */
int args_sa(char ***args, struct binding *binding)
{
	int status;

	status = take_dir(args, &binding->dir);
	while (!status && !(binding->spi && binding->daddr.len)) {
		const char *keyword = (*args)[0];

		if (keyword)
			(*args)++;
		if (keyword && !strcmp(keyword, "spi"))
			status = take_spi(args, &binding->spi);
		else if (keyword && !strcmp(keyword, "daddr"))
			status = take_address(args, &binding->daddr);
		else
			status = args_error(binding->spi ? "daddr" : "spi",
					    keyword);
	}

	return status;
}

int args_end(char **args)
{
	if (args[0])
		return args_error("no more arguments", args[0]);

	return 0;
}
