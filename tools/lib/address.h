/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IP addresses, and as text.
 */
#ifndef ESPTCP_ADDRESS_H
#define ESPTCP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#include <linux/types.h>

#define ENDPOINT_STRLEN	(INET6_ADDRSTRLEN + sizeof("[]:65535"))

/**
 * struct address - an IP address
 * @octets: network byte order
 * @len: 4 or 16; 0 if there is none
 */
struct address {
	__u8 octets[16];
	__u8 len;
};

bool address_parse(struct address *address, const char *text);
bool address_equal(const struct address *a, const struct address *b);
const char *address_text(char text[INET6_ADDRSTRLEN],
			 const struct address *address);
const char *address_endpoint(char text[ENDPOINT_STRLEN],
			     const struct address *address, __u16 port);

#endif /* ESPTCP_ADDRESS_H */
