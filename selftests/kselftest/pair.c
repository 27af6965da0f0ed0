// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "pair.h"

/* Enter a new network namespace in which loopback is up. */
int net_enter(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, err;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	err = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return err;
}

int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

void set_timeout(int fd, int option, unsigned int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv));
}

static int listener(int domain, const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, addr, len) || listen(fd, 16)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The listener on an unused port to which the other end connects. */
int pair_listen(enum family family)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	switch (family) {
	case IPV4:
	case MAPPED:
		return listener(AF_INET, (void *)&v4, sizeof(v4));
	case IPV6:
		v6.sin6_addr = in6addr_loopback;
		return listener(AF_INET6, (void *)&v6, sizeof(v6));
	case MAPPED_ACCEPTED:
		return listener(AF_INET6, (void *)&v6, sizeof(v6));
	}
	return -1;
}

static int connect_as(int domain, const void *addr, socklen_t len)
{
	int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, addr, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Connect to a listener with a socket of its address family. */
int pair_connect(int listener)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(listener, (void *)&addr, &len))
		return -1;
	return connect_as(addr.ss_family, &addr, len);
}

static int connect_v4(int listener, enum family family)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (getsockname(listener, (void *)&addr, &len))
		return -1;
	/* The port is at the same place in both. */
	v4.sin_port = ((struct sockaddr_in *)&addr)->sin_port;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (family == MAPPED_ACCEPTED)
		return connect_as(AF_INET, &v4, sizeof(v4));

	v6.sin6_port = v4.sin_port;
	v6.sin6_addr.s6_addr16[5] = 0xffff;
	v6.sin6_addr.s6_addr32[3] = v4.sin_addr.s_addr;
	return connect_as(AF_INET6, &v6, sizeof(v6));
}

/* The owner accepts where IPv6 sockets are meant, else it connects. */
int pair_open(struct pair *p, enum family family)
{
	int fd = pair_listen(family), connected, accepted;

	p->owner = p->peer = -1;
	if (fd < 0)
		return -1;
	connected = family == IPV4 || family == IPV6 ? pair_connect(fd)
						     : connect_v4(fd, family);
	accepted = connected < 0 ? -1 : accept(fd, NULL, NULL);
	close(fd);
	if (family == IPV6 || family == MAPPED_ACCEPTED)
		*p = (struct pair){ .owner = accepted, .peer = connected };
	else
		*p = (struct pair){ .owner = connected, .peer = accepted };
	if (accepted < 0) {
		pair_close(p);
		return -1;
	}
	set_timeout(p->owner, SO_RCVTIMEO, PATIENCE_SECONDS * 1000);
	set_timeout(p->peer, SO_RCVTIMEO, PATIENCE_SECONDS * 1000);
	/* What a test writes at once should be a segment. */
	return set_int(p->peer, IPPROTO_TCP, TCP_NODELAY, 1);
}

void pair_close(struct pair *p)
{
	close_fd(&p->owner);
	close_fd(&p->peer);
}

int pair_attach(int fd)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, "esptcp", 6);
}

void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Close a socket so that a RST is sent. */
int reset_fd(int *fd)
{
	struct linger now = { .l_onoff = 1 };
	int err = setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));

	close_fd(fd);
	return err;
}

/* From now on a socket hears nothing, as if the network had gone. */
void blackhole(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &drop };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)))
		perror("# SO_ATTACH_FILTER");
}

static void ignore(int signal)
{
	(void)signal;
}

/* A signal comes after @ms; @flags are those of sigaction(). */
void interrupt_in(unsigned int ms, int flags)
{
	struct sigaction sa = { .sa_handler = ignore, .sa_flags = flags };
	struct itimerval timer = { .it_value.tv_usec = ms * 1000 };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}
