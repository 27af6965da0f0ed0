/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_tcp.h"
#include "esptcp_config.h"

#include <daemon.h>

#include <errno.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/** Connections that may wait for us to accept them */
#define BACKLOG 1024

/** Seconds between the probes of a connection that was idle */
#define PROBE_INTERVAL 5

/** What fits into the packets of nearly every network, behind PPPoE or in
 * another tunnel, too */
#define SEGMENT 1360

/*
 * Described in header
 */
int esptcp_tcp_fail(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/**
 * Create a socket whose packets no IPsec policy catches.
 */
static int create_socket(int family)
{
	int fd, segment = SEGMENT;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	/* before the first packet, as on-demand policies would catch our own SYN,
	 * or the answer to one */
	if (fd != -1 && !charon->kernel->bypass_socket(charon->kernel, fd, family))
	{
		DBG1(DBG_NET, "installing the IPsec bypass on a TCP socket failed");
		errno = EACCES;
		return esptcp_tcp_fail(fd);
	}
	/* the route of a tunnel that covers the peer itself allows large packets */
	if (fd != -1 && esptcp_config_has_large_packets() &&
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)) == -1)
	{
		return esptcp_tcp_fail(fd);
	}
	return fd;
}

/*
 * Described in header
 */
int esptcp_tcp_connect(host_t *local, host_t *remote)
{
	int fd, on = 1;

	fd = create_socket(remote->get_family(remote));
	if (fd == -1)
	{
		return -1;
	}
	/* a port that we come back to may still be in use by our last attempt */
	if ((local->get_port(local) &&
		 setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1) ||
		bind(fd, local->get_sockaddr(local),
			 *local->get_sockaddr_len(local)) == -1)
	{
		return esptcp_tcp_fail(fd);
	}
	esptcp_tcp_set_timeouts(fd);
	if (connect(fd, remote->get_sockaddr(remote),
				*remote->get_sockaddr_len(remote)) == -1 &&
		errno != EINPROGRESS)
	{
		return esptcp_tcp_fail(fd);
	}
	return fd;
}

/*
 * Described in header
 */
int esptcp_tcp_listen(int family, uint16_t port)
{
	union {
		struct sockaddr addr;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} any = {};
	socklen_t len;
	int fd, on = 1;

	any.addr.sa_family = family;
	if (family == AF_INET)
	{
		any.in.sin_port = htons(port);
		len = sizeof(any.in);
	}
	else
	{
		any.in6.sin6_port = htons(port);
		len = sizeof(any.in6);
	}
	fd = create_socket(family);
	if (fd == -1)
	{
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
		(family == AF_INET6 &&
		 setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == -1) ||
		bind(fd, &any.addr, len) == -1 ||
		listen(fd, BACKLOG) == -1)
	{
		return esptcp_tcp_fail(fd);
	}
	return fd;
}

/*
 * Described in header
 */
void esptcp_tcp_set_timeouts(int fd)
{
	int idle = esptcp_config_get_keepalive(), interval = PROBE_INTERVAL, on = 1;
	u_int timeout = esptcp_config_get_user_timeout() * 1000;

	if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout,
				   sizeof(timeout)) == -1 ||
		(idle &&
		 (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == -1 ||
		  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle,
					 sizeof(idle)) == -1 ||
		  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
					 sizeof(interval)) == -1)))
	{	/* it still works, but takes long to notice what is lost */
		DBG1(DBG_NET, "setting the timeouts of a TCP socket failed: %s",
			 strerror(errno));
	}
}

/*
 * Described in header
 */
host_t *esptcp_tcp_get_host(int fd, bool peer)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int status;

	status = peer ? getpeername(fd, (struct sockaddr*)&addr, &len)
				  : getsockname(fd, (struct sockaddr*)&addr, &len);
	if (status == -1)
	{
		return NULL;
	}
	return host_create_from_sockaddr((sockaddr_t*)&addr);
}
