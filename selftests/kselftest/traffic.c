// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic that is checked octet by octet, for the shell tests.
 *
 *   traffic serve       send back what comes on TCP and UDP port 5001
 *   traffic ADDRESS     send to such a server and compare what comes back
 *   traffic -t ADDRESS  the same with TCP only
 *   traffic -u ADDRESS  the same with UDP only
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pair.h"

#define PORT		5001
#define TCP_OCTETS	500000
#define UDP_TIMES	2

static const size_t udp_sizes[] = { 1, 100, 1200, 1400, 1473, 8000, 30000 };

/* The same octets each time, without a period that hides a misplaced part. */
static uint8_t next_octet(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void fill(uint8_t *octets, size_t len, uint32_t *state)
{
	while (len--)
		*octets++ = next_octet(state);
}

/* An IPv6 socket for both families. */
static int serve_socket(int type)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6, .sin6_port = htons(PORT),
	};
	int fd = socket(AF_INET6, type, 0);

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (void *)&any, sizeof(any)))
		err(1, "bind");
	return fd;
}

static void serve_udp(void)
{
	static uint8_t datagram[65536];
	int fd = serve_socket(SOCK_DGRAM);

	for (;;) {
		struct sockaddr_in6 from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, datagram, sizeof(datagram), 0,
				     (void *)&from, &len);

		if (n >= 0)
			sendto(fd, datagram, n, 0, (void *)&from, len);
	}
}

static void serve_tcp(void)
{
	static uint8_t octets[65536];
	int listener = serve_socket(SOCK_STREAM), fd;
	ssize_t n;

	if (listen(listener, 4))
		err(1, "listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		while ((n = recv(fd, octets, sizeof(octets), 0)) > 0)
			if (send(fd, octets, n, MSG_NOSIGNAL) != n)
				break;
		close(fd);
	}
}

static void serve(void)
{
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		serve_udp();
	}
	serve_tcp();
}

static int open_to(const char *address, int type)
{
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(PORT),
	};
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
	};
	int is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
	int fd;

	if (!is_v6 && inet_pton(AF_INET, address, &v4.sin_addr) != 1)
		errx(2, "not an address: %s", address);
	fd = socket(is_v6 ? AF_INET6 : AF_INET, type, 0);
	set_timeout(fd, SO_RCVTIMEO, PATIENCE_SECONDS * 1000);
	set_timeout(fd, SO_SNDTIMEO, PATIENCE_SECONDS * 1000);
	if (connect(fd, is_v6 ? (void *)&v6 : (void *)&v4,
		    is_v6 ? sizeof(v6) : sizeof(v4)))
		err(1, "connect to %s", address);
	return fd;
}

static void write_tcp(int fd)
{
	static uint8_t octets[TCP_OCTETS];
	uint32_t state = 1;
	size_t at = 0;

	fill(octets, sizeof(octets), &state);
	while (at < sizeof(octets)) {
		ssize_t n = send(fd, octets + at, sizeof(octets) - at, 0);

		if (n < 0)
			err(1, "TCP: send");
		at += n;
	}
	shutdown(fd, SHUT_WR);
}

static void read_tcp(int fd)
{
	static uint8_t octets[65536];
	uint32_t state = 1;
	size_t at = 0;
	ssize_t n, i;

	while ((n = recv(fd, octets, sizeof(octets), 0)) > 0)
		for (i = 0; i < n; i++, at++)
			if (octets[i] != next_octet(&state))
				errx(1, "TCP: octet %zu is wrong", at);
	if (n < 0)
		err(1, "TCP: recv after %zu octets", at);
	if (at != TCP_OCTETS)
		errx(1, "TCP: %zu octets came back", at);
}

static void check_tcp(const char *address)
{
	int fd = open_to(address, SOCK_STREAM), status;
	pid_t writer = fork();

	if (!writer) {
		write_tcp(fd);
		_exit(0);
	}
	read_tcp(fd);
	if (waitpid(writer, &status, 0) != writer || status)
		errx(1, "TCP: the writer failed");
	close(fd);
}

static void check_datagram(int fd, size_t len, uint32_t seed)
{
	static uint8_t sent[65536], seen[65536];
	uint32_t state = seed;
	int tries = 0;
	ssize_t n;

	fill(sent, len, &state);
	/* The first that is too big for the path is told of, and lost. */
	do {
		n = send(fd, sent, len, 0);
		if (n >= 0)
			n = recv(fd, seen, sizeof(seen), 0);
	} while (n < 0 && errno == EMSGSIZE && ++tries < 3);
	if (n < 0)
		err(1, "UDP: %zu octets", len);
	if ((size_t)n != len || memcmp(sent, seen, len))
		errx(1, "UDP: datagram of %zu octets is wrong", len);
}

static void check_udp(const char *address)
{
	int fd = open_to(address, SOCK_DGRAM), i;
	size_t s;

	for (i = 0; i < UDP_TIMES; i++)
		for (s = 0; s < sizeof(udp_sizes) / sizeof(*udp_sizes); s++)
			check_datagram(fd, udp_sizes[s], 100 * i + s + 1);
	close(fd);
}

int main(int argc, char **argv)
{
	int tcp_only = argc == 3 && !strcmp(argv[1], "-t");
	int udp_only = argc == 3 && !strcmp(argv[1], "-u");

	if (argc != 2 && !tcp_only && !udp_only)
		errx(2, "usage: traffic serve | [-t|-u] ADDRESS");
	if (!strcmp(argv[1], "serve"))
		serve();
	if (!udp_only)
		check_tcp(argv[argc - 1]);
	if (!tcp_only)
		check_udp(argv[argc - 1]);
	return 0;
}
