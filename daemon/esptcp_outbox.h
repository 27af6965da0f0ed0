/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_outbox esptcp_outbox
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_OUTBOX_H_
#define ESPTCP_OUTBOX_H_

#include <networking/packet.h>

typedef struct esptcp_outbox_t esptcp_outbox_t;

/**
 * IKE messages of a connection: those that wait until TCP takes them, and
 * requests that were sent and not answered, which have to be sent again when
 * the connection is replaced (RFC 9329 section 6.2). TCP retransmits, so what
 * charon retransmits is in here already and not sent twice.
 *
 * Not thread-safe.
 */
struct esptcp_outbox_t {

	/**
	 * Add a message, unless it is a retransmission.
	 *
	 * @param packet	IKE message behind a non-ESP marker, adopted
	 * @return			FALSE if there are too many already
	 */
	bool (*add)(esptcp_outbox_t *this, packet_t *packet);

	/**
	 * Get the next message to send.
	 *
	 * @return			internal packet, NULL if there is none
	 */
	packet_t *(*next)(esptcp_outbox_t *this);

	/**
	 * Note that the message that next() returns was sent. This destroys it if
	 * nobody is going to answer it.
	 */
	void (*sent)(esptcp_outbox_t *this);

	/**
	 * Forget the request that a message answers, if it does.
	 *
	 * @param message	received IKE message behind a non-ESP marker
	 */
	void (*answered)(esptcp_outbox_t *this, chunk_t message);

	/**
	 * Prepare for another connection: requests are to be sent again, responses
	 * are dropped, as the peer will ask again for what it has not got.
	 */
	void (*rewind)(esptcp_outbox_t *this);

	/**
	 * Take the first message out.
	 *
	 * @return			packet, NULL if there is none
	 */
	packet_t *(*take)(esptcp_outbox_t *this);

	/**
	 * Destroy a esptcp_outbox_t.
	 */
	void (*destroy)(esptcp_outbox_t *this);
};

/**
 * Create a esptcp_outbox_t instance.
 */
esptcp_outbox_t *esptcp_outbox_create();

#endif /** ESPTCP_OUTBOX_H_ @}*/
