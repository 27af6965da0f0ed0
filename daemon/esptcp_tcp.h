/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_tcp esptcp_tcp
 * @{ @ingroup esptcp
 *
 * TCP sockets as IPsec needs them. They never block.
 */

#ifndef ESPTCP_TCP_H_
#define ESPTCP_TCP_H_

#include <networking/host.h>

/**
 * Close a socket, but keep errno.
 *
 * @param fd			socket
 * @return				-1
 */
int esptcp_tcp_fail(int fd);

/**
 * Create a socket that connects to a peer. Whether that succeeds is known when
 * the socket is writable.
 *
 * @param local			our address, and port if it is not 0
 * @param remote		address and port of the peer
 * @return				socket, -1 on failure, with errno set
 */
int esptcp_tcp_connect(host_t *local, host_t *remote);

/**
 * Create a socket that listens.
 *
 * @param family		address family
 * @param port			port, on all our addresses of that family
 * @return				socket, -1 on failure, with errno set
 */
int esptcp_tcp_listen(int family, uint16_t port);

/**
 * Let TCP notice that the peer has gone: as configured by user_timeout and
 * keepalive.
 *
 * @param fd			socket
 */
void esptcp_tcp_set_timeouts(int fd);

/**
 * Get the address and port of a socket, or of its peer.
 *
 * @param fd			socket
 * @param peer			TRUE for that of the peer
 * @return				host, NULL if there is none, with errno set
 */
host_t *esptcp_tcp_get_host(int fd, bool peer);

#endif /** ESPTCP_TCP_H_ @}*/
