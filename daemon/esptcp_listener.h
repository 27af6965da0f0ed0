/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_listener esptcp_listener
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_LISTENER_H_
#define ESPTCP_LISTENER_H_

#include <bus/listeners/listener.h>

#include "esptcp_sessions.h"

typedef struct esptcp_listener_t esptcp_listener_t;

/**
 * Follows the IKE_SAs: chooses the transport of those that we initiate, notes
 * the connection of those that a peer initiates over TCP, lets them follow the
 * peer to another one, and keeps it for the IKE_SA that replaces one.
 *
 * charon calls this from the thread that handles the IKE_SA.
 */
struct esptcp_listener_t {

	/**
	 * Implements listener_t.
	 */
	listener_t listener;

	/**
	 * Destroy a esptcp_listener_t.
	 */
	void (*destroy)(esptcp_listener_t *this);
};

/**
 * Create a esptcp_listener_t instance.
 *
 * @param connections	TCP connections
 * @param sessions		which IKE_SA uses which
 */
esptcp_listener_t *esptcp_listener_create(esptcp_connections_t *connections,
										  esptcp_sessions_t *sessions);

#endif /** ESPTCP_LISTENER_H_ @}*/
