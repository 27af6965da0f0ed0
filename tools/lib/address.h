/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IP addresses as text, for the arguments and for both printers.
 */
#ifndef ESPTCP_ADDRESS_H
#define ESPTCP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "netlink.h"

#define ADDRESS_ENDPOINT_SIZE	(INET6_ADDRSTRLEN + sizeof("[]:65535"))

bool address_parse(struct address *address, const char *text);
const char *address_text(char text[INET6_ADDRSTRLEN],
			 const struct address *address);
const char *address_endpoint(char text[ADDRESS_ENDPOINT_SIZE],
			     const struct address *address, __u16 port);

#endif /* ESPTCP_ADDRESS_H */
