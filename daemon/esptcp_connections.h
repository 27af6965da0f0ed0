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
 * An IKE_SA that is in here never uses UDP again. A connection goes when no
 * IKE_SA uses it: after a second if we opened it, so that the last response
 * gets out, or a few seconds later if the peer should have closed it.
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
	 * not begin an IKE_SA soon, or if too many such peers are there.
	 *
	 * @param fd		socket, adopted
	 */
	void (*accept)(esptcp_connections_t *this, int fd);

	/**
	 * Find a connection by its number.
	 *
	 * @param id		value of ESPTCP_METADATA
	 * @return			reference to the connection, NULL if it is gone
	 */
	esptcp_connection_t *(*get)(esptcp_connections_t *this, uint32_t id);

	/**
	 * Find a connection by its addresses and ports.
	 *
	 * @param local		local address and port
	 * @param remote	address and port of the peer
	 * @return			reference to the connection, NULL if there is none
	 */
	esptcp_connection_t *(*get_by_hosts)(esptcp_connections_t *this,
										 host_t *local, host_t *remote);

	/**
	 * Find the connection that an IKE_SA uses.
	 *
	 * @param ike_sa	IKE_SA
	 * @return			reference to the connection, NULL if it uses UDP
	 */
	esptcp_connection_t *(*get_by_ike_sa)(esptcp_connections_t *this,
										  ike_sa_t *ike_sa);

	/**
	 * Let an IKE_SA use a connection, instead of what it used before.
	 *
	 * @param ike_sa	IKE_SA
	 * @param id		number of the connection
	 */
	void (*assign)(esptcp_connections_t *this, ike_sa_t *ike_sa, uint32_t id);

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
