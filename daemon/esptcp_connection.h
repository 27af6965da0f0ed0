/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_connection esptcp_connection
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_CONNECTION_H_
#define ESPTCP_CONNECTION_H_

#include "esptcp_bindings.h"
#include "esptcp_counters.h"
#include "esptcp_netlink.h"
#include "esptcp_poller.h"
#include "esptcp_queue.h"

typedef struct esptcp_connection_t esptcp_connection_t;
typedef struct esptcp_surroundings_t esptcp_surroundings_t;
typedef enum esptcp_connection_state_t esptcp_connection_state_t;

/**
 * State of a connection.
 *
 *                    connect()             connected,
 *     originator:  IDLE ------> CONNECTING ------------------> UP
 *                   ^   failed     |        prefix sent,       |
 *                   +--------------+        attached           |
 *                   +------------------------------------------+
 *                       lost: again after a while
 *
 *     responder:   PREFIX ------------------> UP
 *                   |     prefix received,     |
 *                   |     attached             | lost
 *                   +---------> DOWN <---------+
 *                    no or another prefix
 *
 * close() leads to DOWN from everywhere.
 */
enum esptcp_connection_state_t {
	/** no socket, waits until it is time to connect */
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
 * What all connections use.
 */
struct esptcp_surroundings_t {
	/** watches the sockets */
	esptcp_poller_t *poller;
	/** kernel module */
	esptcp_netlink_t *netlink;
	/** SAs that are bound to connections */
	esptcp_bindings_t *bindings;
	/** gets received messages */
	esptcp_queue_t *queue;
	/** counts what strangers do */
	esptcp_counters_t *counters;
	/** called with locks held when a connection that the peer opened ends */
	void (*ended)(void *connections, uint32_t id);
	/** for ended() */
	void *connections;
	/** called with locks held when a connection that we opened is up again */
	void (*resumed)(void *data, uint32_t id);
	/** for resumed() */
	void *data;
};

/**
 * A connection to a peer, as one side of it sees it.
 *
 * As originator it outlives TCP connections: it opens another one whenever one
 * is lost, from another port and maybe another address. As responder it is one
 * TCP connection, after which IKE_SAs follow their peer to another object.
 *
 * Thread-safe. Nothing here waits for the network.
 */
struct esptcp_connection_t {

	/**
	 * Get the number of this connection.
	 *
	 * @return			number, never 0 and never used again
	 */
	uint32_t (*get_id)(esptcp_connection_t *this);

	/**
	 * Get the local address and port.
	 *
	 * @return			host, to destroy
	 */
	host_t *(*get_local)(esptcp_connection_t *this);

	/**
	 * Get the peer's address and port, which don't change.
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
	 * @return			FAILED if it will never be sent
	 */
	status_t (*send)(esptcp_connection_t *this, packet_t *packet);

	/**
	 * Decide how ESP is put on the wire, by the settings, before the first SA
	 * is bound. It stays so, for what comes after this TCP connection, too.
	 *
	 * @param name		name of the connection in the settings
	 * @return			FALSE if they are wrong, or refused by the kernel module
	 */
	bool (*set_framing)(esptcp_connection_t *this, char *name);

	/**
	 * Get how ESP is put on the wire.
	 *
	 * @param framing	gets the settings
	 * @return			FALSE if that is not decided yet
	 */
	bool (*get_framing)(esptcp_connection_t *this, esptcp_framing_t *framing);

	/**
	 * Bind an SA to this connection.
	 *
	 * @param sa		SA
	 * @param dst		destination address of the SA
	 * @param inbound	TRUE for an inbound SA
	 * @return			FALSE if that failed, or the connection is not up
	 */
	bool (*bind)(esptcp_connection_t *this, kernel_ipsec_sa_id_t *sa,
				 host_t *dst, bool inbound);

	/**
	 * Take the place of another connection: its SAs, and the requests that
	 * nobody has answered on it.
	 *
	 * @param other		connection that the peer has left
	 * @return			FALSE if this one is not up, or can't
	 */
	bool (*succeed)(esptcp_connection_t *this, esptcp_connection_t *other);

	/**
	 * Take requests out that the peer has not answered.
	 *
	 * @return			packet as for send(), NULL if there is none
	 */
	packet_t *(*take_request)(esptcp_connection_t *this);

	/**
	 * Note that an authentic message has come from the peer.
	 */
	void (*confirm)(esptcp_connection_t *this);

	/**
	 * Get how often the connection was up, to tell TCP connections apart.
	 *
	 * @param confirmed	gets TRUE if confirm() was called since it is
	 * @return			number of the TCP connection, from 1
	 */
	u_int (*get_epoch)(esptcp_connection_t *this, bool *confirmed);

	/**
	 * Send the requests again that the peer has not answered.
	 *
	 * @param epoch		number of the TCP connection, see get_epoch()
	 * @return			FALSE if there is no need any more: it is confirmed, or
	 *					has ended
	 */
	bool (*repeat)(esptcp_connection_t *this, u_int epoch);

	/**
	 * Get the time since the peer's last message.
	 *
	 * @return			seconds, UINT_MAX if there was none
	 */
	u_int (*get_silence)(esptcp_connection_t *this);

	/**
	 * Addresses or routes have changed: open another TCP connection if ours
	 * can't work any more, or could not, and now might.
	 */
	void (*roam)(esptcp_connection_t *this);

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
 * @param surroundings	what it uses
 * @return				connection, NULL if there is no way to the peer
 */
esptcp_connection_t *esptcp_connection_create_originator(uint32_t id,
									host_t *local, host_t *remote,
									esptcp_surroundings_t *surroundings);

/**
 * Take over a connection that was accepted, as TCP Responder.
 *
 * @param id			number of the connection
 * @param fd			socket, adopted
 * @param surroundings	what it uses
 * @return				connection, NULL if it has ended already
 */
esptcp_connection_t *esptcp_connection_create_responder(uint32_t id, int fd,
									esptcp_surroundings_t *surroundings);

#endif /** ESPTCP_CONNECTION_H_ @}*/
