/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_socket esptcp_socket
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_SOCKET_H_
#define ESPTCP_SOCKET_H_

#include <network/socket.h>

#include "esptcp_sessions.h"

typedef struct esptcp_socket_t esptcp_socket_t;

/**
 * The socket that charon uses: socket-default for UDP, and the TCP connections
 * beside it.
 */
struct esptcp_socket_t {

	/**
	 * Implements the socket_t interface.
	 */
	socket_t socket;
};

/**
 * Create a esptcp_socket_t instance.
 *
 * @param connections	TCP connections
 * @param sessions		which IKE_SA uses which
 * @param queue			where these put what they receive
 * @return				instance, NULL if there is no UDP socket
 */
esptcp_socket_t *esptcp_socket_create(esptcp_connections_t *connections,
									  esptcp_sessions_t *sessions,
									  esptcp_queue_t *queue);

#endif /** ESPTCP_SOCKET_H_ @}*/
