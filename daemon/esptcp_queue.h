/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_queue esptcp_queue
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_QUEUE_H_
#define ESPTCP_QUEUE_H_

#include <networking/packet.h>

/**
 * Key of the metadata of packets, an int: of received ones, the number of their
 * TCP connection, or none for UDP; of packets to send, the unique ID of their
 * IKE_SA, which has a connection when they are sent, or one of the values below.
 * Those to send without it belong to no IKE_SA that we know.
 */
#define ESPTCP_METADATA "esptcp"

/**
 * Value of ESPTCP_METADATA for messages that must not be sent.
 */
#define ESPTCP_NO_CONNECTION 0

/**
 * Value of ESPTCP_METADATA for messages to send over UDP.
 */
#define ESPTCP_UDP -1

typedef struct esptcp_queue_t esptcp_queue_t;

/**
 * Received IKE messages on their way to charon's receiver, over UDP and TCP.
 *
 * One queue for both keeps what charon does against floods. UDP packets wait
 * in their socket's buffer while the queue holds enough of them, so that a
 * flood neither fills the memory nor keeps TCP's messages out.
 */
struct esptcp_queue_t {

	/**
	 * Wait until there is a place for a UDP packet. A cancellation point.
	 */
	void (*wait_udp)(esptcp_queue_t *this);

	/**
	 * Give back the place of a UDP packet that did not come.
	 */
	void (*skip_udp)(esptcp_queue_t *this);

	/**
	 * Add a UDP packet, after wait_udp().
	 *
	 * @param packet	packet, adopted
	 */
	void (*add_udp)(esptcp_queue_t *this, packet_t *packet);

	/**
	 * Add a message from a TCP connection. It is dropped if there are too many,
	 * in all or of this connection, so that nobody takes all places.
	 *
	 * @param id		number of the connection
	 * @param packet	packet with ESPTCP_METADATA, adopted
	 */
	void (*add_tcp)(esptcp_queue_t *this, uint32_t id, packet_t *packet);

	/**
	 * Get the next packet, wait for one. A cancellation point.
	 *
	 * @return			packet
	 */
	packet_t *(*get)(esptcp_queue_t *this);

	/**
	 * Destroy a esptcp_queue_t.
	 */
	void (*destroy)(esptcp_queue_t *this);
};

/**
 * Create a esptcp_queue_t instance.
 */
esptcp_queue_t *esptcp_queue_create();

#endif /** ESPTCP_QUEUE_H_ @}*/
