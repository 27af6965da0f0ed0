// SPDX-License-Identifier: GPL-2.0
/*
 * The carrier: what an IKE daemon does for a connection, for the shell tests.
 * It connects or accepts with the IPsec bypass, exchanges the stream prefix,
 * attaches, binds SAs, says "up ID" and stays until the connection ends or it
 * is killed. The end is told as "end", or "error: " and the socket's error.
 *
 * With -i it sends an IKE message every 50 ms and tells how many came back;
 * a carrier always sends back what it receives with the request's mark.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "framing.h"
#include "genl.h"
#include "pair.h"

#define MAX_BINDINGS	8
#define PING_MS		50
#define REQUEST		0x51
#define RESPONSE	0x52

static struct options {
	int bypass, stop, ping, user_timeout;
	uint32_t replaces, fill;
	const struct attr *framing;
	struct binding bindings[MAX_BINDINGS];
	int nbindings;
} opt = { .bypass = 1 };

/* What -i measures. */
static struct {
	long sent, received;
	double max_ms, sum_ms;
} pings;

static int connection = -1;

static void usage(void)
{
	fputs("usage: carrier [OPTION...] connect|listen ADDRESS PORT\n"
	      "       carrier unbind\n"
	      "  -b DIR:SPI:ADDRESS  bind an SA, DIR is in or out; may be repeated\n"
	      "  -e SPI              send IKE messages that are full of this SPI\n"
	      "  -f FRAMING          as framing.h says; rfc9329 if not given\n"
	      "  -n                  no IPsec bypass on the socket\n"
	      "  -r ID               replace the connection with this id\n"
	      "  -s                  stop (SIGSTOP) between prefix and attaching\n"
	      "  -t MS               TCP_USER_TIMEOUT\n"
	      "  -i                  send IKE messages\n"
	      "SIGUSR1 resets the connection, SIGTERM ends it and tells what -i saw\n",
	      stderr);
	exit(2);
}

static int parse_address(const char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *v6 = (void *)ss;
	struct sockaddr_in *v4 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		ss->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		ss->ss_family = AF_INET6;
	else
		errx(2, "not an address: %s", text);
	return ss->ss_family == AF_INET ? sizeof(*v4) : sizeof(*v6);
}

static void parse_binding(const char *text)
{
	struct binding *b = &opt.bindings[opt.nbindings++];
	struct sockaddr_storage ss;
	char dir[4], addr[64];

	if (opt.nbindings > MAX_BINDINGS ||
	    sscanf(text, "%3[a-z]:%x:%63s", dir, &b->spi, addr) != 3)
		usage();
	b->dir = strcmp(dir, "in") ? ESPTCP_DIR_OUT : ESPTCP_DIR_IN;
	parse_address(addr, &ss);
	b->daddr.len = ss.ss_family == AF_INET ? 4 : 16;
	memcpy(b->daddr.octets, ss.ss_family == AF_INET ?
	       (void *)&((struct sockaddr_in *)&ss)->sin_addr :
	       (void *)&((struct sockaddr_in6 *)&ss)->sin6_addr, b->daddr.len);
}

static void set_bypass(int fd, int family)
{
	struct xfrm_userpolicy_info policy = {
		.sel.family = family, .action = XFRM_POLICY_ALLOW,
	};
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int name = family == AF_INET ? IP_XFRM_POLICY : IPV6_XFRM_POLICY;

	for (policy.dir = XFRM_POLICY_IN; policy.dir <= XFRM_POLICY_OUT;
	     policy.dir++)
		if (setsockopt(fd, level, name, &policy, sizeof(policy)))
			err(1, "IPsec bypass");
}

static int tcp_open(const char *role, const char *addr, const char *port)
{
	struct sockaddr_storage ss;
	socklen_t len = parse_address(addr, &ss);
	int listener = socket(ss.ss_family, SOCK_STREAM, 0), fd;

	/* The port is at the same place for both families. */
	((struct sockaddr_in *)&ss)->sin_port = htons(atoi(port));
	if (opt.bypass)
		set_bypass(listener, ss.ss_family);
	if (!strcmp(role, "connect")) {
		if (connect(listener, (void *)&ss, len))
			err(1, "connect to %s port %s", addr, port);
		return listener;
	}
	set_int(listener, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(listener, (void *)&ss, len) || listen(listener, 1))
		err(1, "listen on %s port %s", addr, port);
	puts("listening");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	close(listener);
	return fd;
}

static void exchange_prefix(int fd, const char *role)
{
	char prefix[6];

	if (!strcmp(role, "connect")) {
		if (send(fd, "IKETCP", 6, 0) != 6)
			err(1, "prefix");
	} else if (recv(fd, prefix, 6, MSG_WAITALL) != 6 ||
		   memcmp(prefix, "IKETCP", 6)) {
		errx(1, "no prefix");
	}
}

static void open_netlink(struct genl *g)
{
	if (genl_open(g))
		errx(1, "no netlink family esptcp: the module is not loaded");
}

/* Forget the bindings of carriers that have gone. */
static int unbind(void)
{
	struct genl g;
	int error;

	open_netlink(&g);
	error = genl_unbind_all(&g);
	if (error)
		errx(1, "unbind: %s", strerror(-error));
	return 0;
}

static void attach_and_bind(int fd)
{
	struct genl g;
	uint32_t id;
	int error, i;

	open_netlink(&g);
	error = genl_attach_with(&g, fd, opt.replaces, opt.framing, &id);
	if (error)
		errx(1, "attach: %s", strerror(-error));
	for (i = 0; i < opt.nbindings; i++) {
		opt.bindings[i].conn_id = id;
		error = genl_bind(&g, &opt.bindings[i]);
		if (error)
			errx(1, "bind %x: %s", opt.bindings[i].spi,
			     strerror(-error));
	}
	genl_close(&g);
	printf("up %u\n", id);
	fflush(stdout);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000.0 + ts.tv_nsec / 1000000.0;
}

/* An IKE message with a mark and the time behind the marker. */
struct ping {
	uint8_t marker[4];
	uint32_t mark;
	double at;
	uint8_t rest[200];
};

/* One whose segments all begin with the SPI, as the length makes 2 octets. */
struct filled_ping {
	struct ping ping;
	uint8_t shift[2];
	uint32_t spi[2000];
} __attribute__((packed));

static void send_ping(int fd)
{
	static struct filled_ping m;
	size_t len = opt.fill ? sizeof(m) : sizeof(m.ping), i;

	m.ping.mark = REQUEST;
	m.ping.at = now_ms();
	for (i = 0; i < sizeof(m.spi) / sizeof(m.spi[0]); i++)
		m.spi[i] = htonl(opt.fill);
	if (send(fd, &m, len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		pings.sent++;
}

static int is_ping(size_t len)
{
	return len == sizeof(struct ping) || len == sizeof(struct filled_ping);
}

static void receive_pong(const struct ping *ping)
{
	double ms = now_ms() - ping->at;

	pings.received++;
	pings.sum_ms += ms;
	if (ms > pings.max_ms)
		pings.max_ms = ms;
}

/* Return: 0 when the connection has ended. */
static int receive_message(int fd)
{
	union {
		struct ping ping;
		uint8_t octets[MAX_MESSAGE];
	} m;
	ssize_t n = recv(fd, &m, sizeof(m), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 1;
	if (n <= 0) {
		printf(n ? "error: %s\n" : "end\n", strerror(errno));
		return 0;
	}
	if (is_ping(n) && m.ping.mark == REQUEST) {
		m.ping.mark = RESPONSE;
		send(fd, &m, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (is_ping(n) && m.ping.mark == RESPONSE) {
		receive_pong(&m.ping);
	}
	return 1;
}

static void on_reset(int signal)
{
	(void)signal;
	reset_fd(&connection);
	_exit(0);
}

static volatile sig_atomic_t ended;

static void on_end(int signal)
{
	(void)signal;
	ended = 1;
}

static void serve(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	while (!ended) {
		if (poll(&pfd, 1, opt.ping ? PING_MS : -1) == 0)
			send_ping(fd);
		else if (pfd.revents && !receive_message(fd))
			break;
	}
	if (opt.ping)
		printf("pings %ld %ld %.1f %.1f\n", pings.sent, pings.received,
		       pings.received ? pings.sum_ms / pings.received : 0,
		       pings.max_ms);
}

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "b:e:f:nr:st:i")) != -1) {
		switch (c) {
		case 'b':
			parse_binding(optarg);
			break;
		case 'e':
			opt.fill = strtoul(optarg, NULL, 0);
			opt.ping = 1;
			break;
		case 'f':
			opt.framing = framing_parse(optarg);
			if (!opt.framing)
				usage();
			break;
		case 'n':
			opt.bypass = 0;
			break;
		case 'r':
			opt.replaces = strtoul(optarg, NULL, 10);
			break;
		case 's':
			opt.stop = 1;
			break;
		case 't':
			opt.user_timeout = atoi(optarg);
			break;
		case 'i':
			opt.ping = 1;
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 3 && (argc - optind != 1 || strcmp(argv[optind], "unbind")))
		usage();
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	argv += optind;
	if (!strcmp(argv[0], "unbind"))
		return unbind();
	signal(SIGUSR1, on_reset);
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_end }, NULL);

	connection = tcp_open(argv[0], argv[1], argv[2]);
	if (opt.user_timeout)
		set_int(connection, IPPROTO_TCP, TCP_USER_TIMEOUT,
			opt.user_timeout);
	exchange_prefix(connection, argv[0]);
	if (opt.stop)
		raise(SIGSTOP);
	attach_and_bind(connection);
	serve(connection);
	return 0;
}
