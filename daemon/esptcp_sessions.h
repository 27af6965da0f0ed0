/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_sessions esptcp_sessions
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_SESSIONS_H_
#define ESPTCP_SESSIONS_H_

#include <collections/array.h>
#include <sa/ike_sa.h>

#include "esptcp_connections.h"

typedef struct esptcp_sessions_t esptcp_sessions_t;

/**
 * Which IKE_SA uses which connection, or UDP.
 *
 * An IKE_SA that uses a connection never uses UDP, and the other way round:
 * nobody gets its messages who connects from the peer's address. It follows its
 * peer to another connection after an authentic message arrived on that.
 *
 * Thread-safe, and called from the thread that has the IKE_SA checked out where
 * there is an IKE_SA among the parameters.
 */
struct esptcp_sessions_t {

	/**
	 * Open a connection for an IKE_SA, instead of what it used before.
	 *
	 * @param ike_sa	IKE_SA that is going to use it
	 * @param local		local address, may be %any
	 * @param remote	address and port of the peer
	 * @return			reference to the connection, NULL on failure
	 */
	esptcp_connection_t *(*open)(esptcp_sessions_t *this, ike_sa_t *ike_sa,
								 host_t *local, host_t *remote);

	/**
	 * Let an IKE_SA use a connection, or UDP, instead of what it used before.
	 *
	 * @param ike_sa	IKE_SA
	 * @param id		number of the connection, or ESPTCP_UDP
	 * @return			FALSE if that connection is gone
	 */
	bool (*assign)(esptcp_sessions_t *this, ike_sa_t *ike_sa, int id);

	/**
	 * Find the connection that an IKE_SA uses.
	 *
	 * @param ike_sa	IKE_SA
	 * @return			reference to the connection, NULL if there is none
	 */
	esptcp_connection_t *(*get_connection)(esptcp_sessions_t *this,
										   ike_sa_t *ike_sa);

	/**
	 * Find the connection for a packet to send. A response goes back to where
	 * the request came from, even if its IKE_SA has not moved there.
	 *
	 * @param unique_id	IKE_SA of the packet, which may be gone since a moment
	 * @param packet	packet
	 * @return			reference to the connection, NULL if there is none
	 */
	esptcp_connection_t *(*get_for_packet)(esptcp_sessions_t *this,
										   uint32_t unique_id,
										   packet_t *packet);

	/**
	 * Check if an IKE_SA is known to use UDP.
	 *
	 * @param ike_sa	IKE_SA
	 * @return			TRUE if it has been assigned to UDP
	 */
	bool (*uses_udp)(esptcp_sessions_t *this, ike_sa_t *ike_sa);

	/**
	 * Check if an IKE_SA has ever been given a transport. One that charon makes
	 * to give it up at once, when both peers rekey another, has not.
	 *
	 * @param ike_sa	IKE_SA
	 * @return			TRUE if so
	 */
	bool (*is_known)(esptcp_sessions_t *this, ike_sa_t *ike_sa);

	/**
	 * Check if an IKE_SA began anew, with another SPI, since its connection
	 * was opened.
	 *
	 * @param ike_sa	IKE_SA that we initiate
	 * @return			TRUE if so
	 */
	bool (*has_restarted)(esptcp_sessions_t *this, ike_sa_t *ike_sa);

	/**
	 * Note where the message comes from that an IKE_SA is going to verify.
	 *
	 * @param ike_sa	IKE_SA
	 * @param id		number of the connection, or ESPTCP_UDP
	 */
	void (*note)(esptcp_sessions_t *this, ike_sa_t *ike_sa, int id);

	/**
	 * Let an IKE_SA follow its peer to the connection noted, with its SAs and
	 * all that used the old connection. It must have verified the message.
	 *
	 * @param ike_sa	IKE_SA
	 * @return			reference to the new connection, NULL if nothing moved
	 */
	esptcp_connection_t *(*follow)(esptcp_sessions_t *this, ike_sa_t *ike_sa);

	/**
	 * Let an IKE_SA use what another one does.
	 *
	 * @param old		IKE_SA that has a transport
	 * @param new		IKE_SA that gets it
	 */
	void (*inherit)(esptcp_sessions_t *this, ike_sa_t *old, ike_sa_t *new);

	/**
	 * Forget an IKE_SA, soon, as its last message may not have been sent.
	 *
	 * @param ike_sa	IKE_SA
	 */
	void (*release)(esptcp_sessions_t *this, ike_sa_t *ike_sa);

	/**
	 * Get the IKE_SAs that use a connection.
	 *
	 * @param id		number of the connection
	 * @return			unique IDs, array of uint32_t to destroy
	 */
	array_t *(*get_ike_sas)(esptcp_sessions_t *this, uint32_t id);

	/**
	 * Destroy a esptcp_sessions_t. No thread may be left.
	 */
	void (*destroy)(esptcp_sessions_t *this);
};

/**
 * Create a esptcp_sessions_t instance.
 *
 * @param connections	TCP connections
 */
esptcp_sessions_t *esptcp_sessions_create(esptcp_connections_t *connections);

#endif /** ESPTCP_SESSIONS_H_ @}*/
