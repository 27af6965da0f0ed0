/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_connections esptcp_connections
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_CONNECTIONS_H_
#define ESPTCP_CONNECTIONS_H_

#include <kernel/kernel_listener.h>

#include "esptcp_connection.h"

typedef struct esptcp_connections_t esptcp_connections_t;

/**
 * All TCP connections.
 *
 * A connection goes when no IKE_SA uses it: after a second if we opened it, so
 * that the last response gets out, or a few seconds later if the peer should
 * have closed it.
 *
 * Thread-safe.
 */
struct esptcp_connections_t {

	/**
	 * Lets connections follow when addresses and routes change.
	 */
	kernel_listener_t listener;

	/**
	 * Open a connection. It has no users yet, but stays until it had one.
	 *
	 * @param local		local address, may be %any
	 * @param remote	address and port of the peer
	 * @return			reference to the connection, NULL on failure
	 */
	esptcp_connection_t *(*open)(esptcp_connections_t *this, host_t *local,
								 host_t *remote);

	/**
	 * Take over an accepted connection. It is closed again if its peer does
	 * not begin or continue an IKE_SA soon, or if that is not established. If
	 * too many such connections are there, in all or from the same address, a
	 * silent one makes room for it.
	 *
	 * @param fd		socket, adopted
	 * @param peer		address of the peer
	 */
	void (*accept)(esptcp_connections_t *this, int fd, host_t *peer);

	/**
	 * Close a silent connection without an established IKE_SA, for want of
	 * descriptors.
	 *
	 * @return			FALSE if there is none
	 */
	bool (*make_room)(esptcp_connections_t *this);

	/**
	 * Find a connection by its number.
	 *
	 * @param id		number
	 * @return			reference to the connection, NULL if it is gone
	 */
	esptcp_connection_t *(*get)(esptcp_connections_t *this, uint32_t id);

	/**
	 * Find the connection for a packet by its addresses and ports. It is one
	 * that IKE_SAs use, or that the packet answers: anybody may open others.
	 *
	 * @param packet	packet to send
	 * @return			reference to the connection, NULL if there is none
	 */
	esptcp_connection_t *(*get_by_packet)(esptcp_connections_t *this,
										  packet_t *packet);

	/**
	 * Let another IKE_SA use a connection.
	 *
	 * @param id		number of the connection
	 * @return			FALSE if it is gone
	 */
	bool (*use)(esptcp_connections_t *this, uint32_t id);

	/**
	 * The IKE_SA of a connection goes on: charon has verified a message.
	 *
	 * @param id		number of the connection
	 */
	void (*proceed)(esptcp_connections_t *this, uint32_t id);

	/**
	 * Let a connection last: its peer has shown who it is, by an IKE_SA that is
	 * established.
	 *
	 * @param id		number of the connection
	 */
	void (*trust)(esptcp_connections_t *this, uint32_t id);

	/**
	 * An IKE_SA does not use a connection any more.
	 *
	 * @param id		number of the connection
	 */
	void (*unuse)(esptcp_connections_t *this, uint32_t id);

	/**
	 * Get the number of IKE_SAs that use a connection.
	 *
	 * @param id		number of the connection
	 * @return			number of IKE_SAs
	 */
	u_int (*get_users)(esptcp_connections_t *this, uint32_t id);

	/**
	 * Set what is called, with locks held, when a connection that we opened
	 * is up again.
	 *
	 * @param resumed	called with data and the number of the connection
	 * @param data		data for it
	 */
	void (*set_resumed)(esptcp_connections_t *this,
						void (*resumed)(void *data, uint32_t id), void *data);

	/**
	 * Close all connections and destroy the object. No thread may be left.
	 */
	void (*destroy)(esptcp_connections_t *this);
};

/**
 * Create a esptcp_connections_t instance.
 *
 * @param poller		watches the sockets of all connections
 * @param netlink		kernel module
 * @param bindings		SAs that are bound to connections
 * @param queue			receives the messages of all connections
 * @param counters		counts what strangers do
 */
esptcp_connections_t *esptcp_connections_create(esptcp_poller_t *poller,
												esptcp_netlink_t *netlink,
												esptcp_bindings_t *bindings,
												esptcp_queue_t *queue,
												esptcp_counters_t *counters);

#endif /** ESPTCP_CONNECTIONS_H_ @}*/
