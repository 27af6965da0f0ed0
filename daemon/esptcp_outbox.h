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
 * charon retransmits is in here already and not sent twice. But a peer may have
 * ignored the request, as charon does when it has not finished IKE_AUTH: from
 * charon's second retransmission on, a request is sent again.
 *
 * Not thread-safe.
 */
struct esptcp_outbox_t {

	/**
	 * Add a message. A retransmission lets the first one be sent again, or
	 * nothing.
	 *
	 * @param packet	IKE message behind a non-ESP marker, adopted
	 * @return			FALSE if there are too many already
	 */
	bool (*add)(esptcp_outbox_t *this, packet_t *packet);

	/**
	 * Send what waits, as much as TCP takes. Requests are kept for the answer.
	 *
	 * @param fd		socket that the kernel module has
	 * @return			SUCCESS if nothing waits any more, NEED_MORE if TCP takes
	 *					no more now, FAILED with errno set if the connection has
	 *					ended
	 */
	status_t (*flush)(esptcp_outbox_t *this, int fd);

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
