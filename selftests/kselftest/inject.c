// SPDX-License-Identifier: GPL-2.0
/*
 * Sends one packet that nothing in the stack would send, for the tests of
 * drop reasons: ESP of any SPI and length on a raw socket, octets on a packet
 * socket, or the first and the last fragment of a UDP datagram.
 *
 *   inject esp ADDRESS SPI LENGTH
 *   inject packet DEVICE ip|ipv6 HEX
 *   inject fragments ADDRESS
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t octets[65536];

static void usage(void)
{
	errx(2, "usage: inject esp ADDRESS SPI LENGTH | inject packet DEVICE ip|ipv6 HEX | inject fragments ADDRESS");
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

/* The kernel fills in the source address and the checksum. */
static int inject_fragments(const char *addr)
{
	static const uint16_t offsets[] = { IP_MF, 3 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct {
		struct iphdr ip;
		uint8_t payload[24];
	} packet = { .ip = { .version = 4, .ihl = 5, .id = htons(4711),
			     .ttl = 64, .protocol = IPPROTO_UDP } };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	size_t i;

	if (inet_pton(AF_INET, addr, &to.sin_addr) != 1)
		usage();
	packet.ip.daddr = to.sin_addr.s_addr;
	for (i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		packet.ip.frag_off = htons(offsets[i]);
		if (sendto(fd, &packet, sizeof(packet), 0, (void *)&to,
			   sizeof(to)) < 0)
			err(1, "sendto");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "fragments"))
		return inject_fragments(argv[2]);
	if (argc != 5)
		usage();
	if (!strcmp(argv[1], "esp"))
		return inject_esp(argv[2], argv[3], argv[4]);
	if (!strcmp(argv[1], "packet"))
		return inject_packet(argv[2], argv[3], argv[4]);
	usage();
}
