// SPDX-License-Identifier: GPL-2.0
/*
 * Sends one packet that nothing in the stack would send, for the tests of
 * drop reasons: ESP of any SPI and length on a raw socket, or octets on a
 * packet socket.
 *
 *   inject esp ADDRESS SPI LENGTH
 *   inject packet DEVICE ip|ipv6 HEX
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t octets[65536];

static void usage(void)
{
	errx(2, "usage: inject esp ADDRESS SPI LENGTH | inject packet DEVICE ip|ipv6 HEX");
}

static int inject_esp(const char *addr, const char *spi, const char *length)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	int is_v6 = inet_pton(AF_INET6, addr, &v6.sin6_addr) == 1;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_ESP);
	uint32_t be = htonl(strtoul(spi, NULL, 0));
	size_t len = strtoul(length, NULL, 0);

	if (!is_v6 && inet_pton(AF_INET, addr, &v4.sin_addr) != 1)
		usage();
	if (len > sizeof(octets))
		usage();
	memcpy(octets, &be, sizeof(be));
	if (sendto(fd, octets, len, 0, is_v6 ? (void *)&v6 : (void *)&v4,
		   is_v6 ? sizeof(v6) : sizeof(v4)) < 0)
		err(1, "sendto");
	return 0;
}

static int inject_packet(const char *device, const char *protocol,
			 const char *hex)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(device),
		.sll_protocol = htons(strcmp(protocol, "ip") ? ETH_P_IPV6 :
							       ETH_P_IP),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	size_t len = 0;

	if (!ll.sll_ifindex)
		err(1, "%s", device);
	while (hex[0] && hex[1] && sscanf(hex, "%2hhx", &octets[len]) == 1) {
		hex += 2;
		len++;
	}
	if (sendto(fd, octets, len, 0, (void *)&ll, sizeof(ll)) < 0)
		err(1, "sendto");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		usage();
	if (!strcmp(argv[1], "esp"))
		return inject_esp(argv[2], argv[3], argv[4]);
	if (!strcmp(argv[1], "packet"))
		return inject_packet(argv[2], argv[3], argv[4]);
	usage();
}
