/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_connection esptcp_connection
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_CONNECTION_H_
#define ESPTCP_CONNECTION_H_

#include "esptcp_netlink.h"
#include "esptcp_queue.h"

typedef struct esptcp_connection_t esptcp_connection_t;
typedef enum esptcp_connection_state_t esptcp_connection_state_t;

/**
 * State of a connection.
 *
 *                    connect()             connected,
 *     originator:  IDLE ------> CONNECTING ------------------> UP ----> DOWN
 *                   ^   failed     |        prefix sent,       |  lost
 *                   +--------------+        attached           |
 *                   +------------------------------------------+
 *                       lost before the peer said anything
 *
 *     responder:   PREFIX ------------------> UP ----> DOWN
 *                   |     prefix received,       lost   ^
 *                   |     attached                      |
 *                   +-----------------------------------+
 *                       no or another prefix
 */
enum esptcp_connection_state_t {
	/** no socket; the next message to send opens one */
	ESPTCP_CONNECTION_IDLE,
	/** waits for the peer's SYN/ACK */
	ESPTCP_CONNECTION_CONNECTING,
	/** accepted, waits for the stream prefix */
	ESPTCP_CONNECTION_PREFIX,
	/** attached to the kernel module, carries IKE and ESP */
	ESPTCP_CONNECTION_UP,
	/** no socket any more */
	ESPTCP_CONNECTION_DOWN,
};

/**
 * Names of esptcp_connection_state_t.
 */
extern enum_name_t *esptcp_connection_state_names;

/**
 * A TCP connection to a peer, as one side of it sees it.
 *
 * Its two addresses stay what they were when it was created: they are in the
 * IKE_SA and in the NAT detection hashes of the first message.
 *
 * Thread-safe. Nothing here waits for the network.
 */
struct esptcp_connection_t {

	/**
	 * Get the number of this connection, the value of ESPTCP_METADATA.
	 *
	 * @return			number, never 0 and never used again
	 */
	uint32_t (*get_id)(esptcp_connection_t *this);

	/**
	 * Get the local address and port.
	 *
	 * @return			internal host
	 */
	host_t *(*get_local)(esptcp_connection_t *this);

	/**
	 * Get the peer's address and port.
	 *
	 * @return			internal host
	 */
	host_t *(*get_remote)(esptcp_connection_t *this);

	/**
	 * Check which side opened the connection, and has to close it.
	 *
	 * @return			TRUE if this host is the TCP Originator
	 */
	bool (*is_originator)(esptcp_connection_t *this);

	/**
	 * Get the current state.
	 *
	 * @return			state
	 */
	esptcp_connection_state_t (*get_state)(esptcp_connection_t *this);

	/**
	 * Check if a packet answers the message that was received last, and has
	 * its SPI. Such packets may belong to no IKE_SA, as those with a COOKIE.
	 *
	 * @param packet	packet as charon sends it
	 * @return			TRUE if so, and the connection is up
	 */
	bool (*is_answer)(esptcp_connection_t *this, packet_t *packet);

	/**
	 * Send a message, now or when the connection is up.
	 *
	 * @param packet	IKE message behind a non-ESP marker, adopted
	 * @return			FAILED if the connection is gone
	 */
	status_t (*send)(esptcp_connection_t *this, packet_t *packet);

	/**
	 * Bind an SA to this connection.
	 *
	 * @param spi		SPI of the SA, in network order
	 * @param dst		destination address of the SA
	 * @param inbound	TRUE for an inbound SA
	 * @return			FALSE if that failed, or the connection is not up
	 */
	bool (*bind)(esptcp_connection_t *this, uint32_t spi, host_t *dst,
				 bool inbound);

	/**
	 * Close the connection. What TCP has taken still goes to the peer.
	 *
	 * This waits for callbacks of the connection to return, so these must not
	 * call it.
	 */
	void (*close)(esptcp_connection_t *this);

	/**
	 * Get a new reference.
	 *
	 * @return			this
	 */
	esptcp_connection_t *(*get_ref)(esptcp_connection_t *this);

	/**
	 * Give back a reference. The last one destroys the connection, which is
	 * closed by then.
	 */
	void (*destroy)(esptcp_connection_t *this);
};

/**
 * Open a connection, as TCP Originator.
 *
 * @param id			number of the connection
 * @param local			local address, may be %any; the port does not matter
 * @param remote		address and port of the peer
 * @param netlink		kernel module
 * @param queue			receives the peer's messages
 * @return				connection, NULL if there is no way to the peer
 */
esptcp_connection_t *esptcp_connection_create_originator(uint32_t id,
									host_t *local, host_t *remote,
									esptcp_netlink_t *netlink,
									esptcp_queue_t *queue);

/**
 * Take over a connection that was accepted, as TCP Responder.
 *
 * @param id			number of the connection
 * @param fd			socket, adopted
 * @param netlink		kernel module
 * @param queue			receives the peer's messages
 * @return				connection, NULL if it has ended already
 */
esptcp_connection_t *esptcp_connection_create_responder(uint32_t id, int fd,
									esptcp_netlink_t *netlink,
									esptcp_queue_t *queue);

#endif /** ESPTCP_CONNECTION_H_ @}*/
