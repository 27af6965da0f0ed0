// SPDX-License-Identifier: GPL-2.0
/*
 * Converts IP addresses from and to text.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

static bool is_ipv6(const struct address *address)
{
	return address->len == sizeof(struct in6_addr);
}

bool address_parse(struct address *address, const char *text)
{
	if (inet_pton(AF_INET, text, address->octets) == 1)
		address->len = sizeof(struct in_addr);
	else if (inet_pton(AF_INET6, text, address->octets) == 1)
		address->len = sizeof(struct in6_addr);
	else
		return false;

	return true;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->len == b->len && !memcmp(a->octets, b->octets, a->len);
}

const char *address_text(char text[INET6_ADDRSTRLEN],
			 const struct address *address)
{
	int family = is_ipv6(address) ? AF_INET6 : AF_INET;

	return inet_ntop(family, address->octets, text, INET6_ADDRSTRLEN);
}

const char *address_endpoint(char text[ENDPOINT_STRLEN],
			     const struct address *address, __u16 port)
{
	const char *format = is_ipv6(address) ? "[%s]:%u" : "%s:%u";
	char host[INET6_ADDRSTRLEN];

	snprintf(text, ENDPOINT_STRLEN, format, address_text(host, address),
		 port);

	return text;
}
