/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_inbox esptcp_inbox
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_INBOX_H_
#define ESPTCP_INBOX_H_

#include <networking/host.h>
#include <networking/packet.h>

#include "esptcp_outbox.h"
#include "esptcp_queue.h"

typedef struct esptcp_inbox_t esptcp_inbox_t;

/**
 * IKE messages that a connection receives: they go to charon, and what they
 * tell about the peer is kept.
 *
 * Not thread-safe.
 */
struct esptcp_inbox_t {

	/**
	 * Read messages, a few at a time, so that other connections have their
	 * turn.
	 *
	 * @param fd		socket that the kernel module has
	 * @param local		our address and port
	 * @param outbox	forgets the requests that the messages answer
	 * @return			FAILED with errno set if the connection has ended, 0 for
	 *					its regular end
	 */
	status_t (*fill)(esptcp_inbox_t *this, int fd, host_t *local,
					 esptcp_outbox_t *outbox);

	/**
	 * Check if the peer has ever sent a message.
	 *
	 * @return			TRUE if so
	 */
	bool (*has_heard)(esptcp_inbox_t *this);

	/**
	 * Get the time since the peer's last message.
	 *
	 * @return			seconds, UINT_MAX if there was none
	 */
	u_int (*get_silence)(esptcp_inbox_t *this);

	/**
	 * Check if a packet answers the last message: has its SPI.
	 *
	 * @param packet	packet as charon sends it
	 * @param local		our address and port
	 * @return			TRUE if so
	 */
	bool (*is_answer)(esptcp_inbox_t *this, packet_t *packet, host_t *local);

	/**
	 * Destroy a esptcp_inbox_t.
	 */
	void (*destroy)(esptcp_inbox_t *this);
};

/**
 * Create a esptcp_inbox_t instance.
 *
 * @param id			number of the connection
 * @param remote		address and port of the peer, has to outlive this
 * @param queue			gets the messages
 */
esptcp_inbox_t *esptcp_inbox_create(uint32_t id, host_t *remote,
									esptcp_queue_t *queue);

#endif /** ESPTCP_INBOX_H_ @}*/
