/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_connections esptcp_connections
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_CONNECTIONS_H_
#define ESPTCP_CONNECTIONS_H_

#include <sa/ike_sa.h>

#include "esptcp_connection.h"

typedef struct esptcp_connections_t esptcp_connections_t;

/**
 * All TCP connections, and which IKE_SA uses which.
 *
 * An IKE_SA that uses a connection never uses UDP again. Those that use UDP are
 * in here as well, so that nobody gets their messages who connects from the
 * peer's address. A connection goes when no IKE_SA uses it: after a second if
 * we opened it, so that the last response gets out, or a few seconds later if
 * the peer should have closed it.
 *
 * Thread-safe.
 */
struct esptcp_connections_t {

	/**
	 * Open a connection for an IKE_SA. A connection that it used before is
	 * released.
	 *
	 * @param ike_sa	IKE_SA that is going to use it
	 * @param local		local address, may be %any
	 * @param remote	address and port of the peer
	 * @return			reference to the connection, NULL on failure
	 */
	esptcp_connection_t *(*open)(esptcp_connections_t *this, ike_sa_t *ike_sa,
								 host_t *local, host_t *remote);

	/**
	 * Take over an accepted connection. It is closed again if its peer does
	 * not begin an IKE_SA soon, or if too many such connections are there, in
	 * all or from the same address.
	 *
	 * @param fd		socket, adopted
	 * @param peer		address of the peer
	 */
	void (*accept)(esptcp_connections_t *this, int fd, host_t *peer);

	/**
	 * Find a connection by its number.
	 *
	 * @param id		value of ESPTCP_METADATA
	 * @return			reference to the connection, NULL if it is gone
	 */
	esptcp_connection_t *(*get)(esptcp_connections_t *this, uint32_t id);

	/**
	 * Find the connection for a packet without ESPTCP_METADATA, by its
	 * addresses and ports. It is one that IKE_SAs use, or that the packet
	 * answers: anybody may open others.
	 *
	 * @param packet	packet to send
	 * @return			reference to the connection, NULL if there is none
	 */
	esptcp_connection_t *(*get_by_packet)(esptcp_connections_t *this,
										  packet_t *packet);

	/**
	 * Find the connection that an IKE_SA uses.
	 *
	 * @param ike_sa	IKE_SA
	 * @return			reference to the connection, NULL if there is none
	 */
	esptcp_connection_t *(*get_by_ike_sa)(esptcp_connections_t *this,
										  ike_sa_t *ike_sa);

	/**
	 * Check if an IKE_SA is known to use UDP.
	 *
	 * @param ike_sa	IKE_SA
	 * @return			TRUE if it has been assigned to UDP
	 */
	bool (*uses_udp)(esptcp_connections_t *this, ike_sa_t *ike_sa);

	/**
	 * Let an IKE_SA use a connection, instead of what it used before.
	 *
	 * @param ike_sa	IKE_SA
	 * @param id		number of the connection, or ESPTCP_UDP
	 * @return			FALSE if that connection is gone
	 */
	bool (*assign)(esptcp_connections_t *this, ike_sa_t *ike_sa, int id);

	/**
	 * Let an IKE_SA use what another one does.
	 *
	 * @param old		IKE_SA that has a transport
	 * @param new		IKE_SA that gets it
	 */
	void (*inherit)(esptcp_connections_t *this, ike_sa_t *old, ike_sa_t *new);

	/**
	 * Forget an IKE_SA.
	 *
	 * @param ike_sa	IKE_SA
	 */
	void (*release)(esptcp_connections_t *this, ike_sa_t *ike_sa);

	/**
	 * Close all connections and destroy the object. No thread may be left.
	 */
	void (*destroy)(esptcp_connections_t *this);
};

/**
 * Create a esptcp_connections_t instance.
 *
 * @param netlink		kernel module
 * @param queue			receives the messages of all connections
 */
esptcp_connections_t *esptcp_connections_create(esptcp_netlink_t *netlink,
												esptcp_queue_t *queue);

#endif /** ESPTCP_CONNECTIONS_H_ @}*/
