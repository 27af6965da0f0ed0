/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_watch esptcp_watch
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_WATCH_H_
#define ESPTCP_WATCH_H_

#include "esptcp_poller.h"

typedef struct esptcp_watch_t esptcp_watch_t;
typedef void (*esptcp_watch_cb_t)(void *data, esptcp_watch_t *watch);

/**
 * A socket that is watched, without a thread of our own.
 */
struct esptcp_watch_t {

	/**
	 * Get the socket.
	 *
	 * @return			descriptor
	 */
	int (*get_fd)(esptcp_watch_t *this);

	/**
	 * Call on_readable whenever there is something to read.
	 */
	void (*read)(esptcp_watch_t *this);

	/**
	 * Call on_writable as soon as the socket can be written, once.
	 */
	void (*write)(esptcp_watch_t *this);

	/**
	 * Close the socket. Waits for callbacks to return, so these, and who holds
	 * a lock that they want, use destroy_later() instead.
	 */
	void (*destroy)(esptcp_watch_t *this);

	/**
	 * Close the socket soon. Calls nothing from now on but what is about to
	 * be called already.
	 */
	void (*destroy_later)(esptcp_watch_t *this);
};

/**
 * Create a esptcp_watch_t instance, that watches nothing yet.
 *
 * @param poller		watches the socket
 * @param fd			socket, adopted
 * @param on_readable	called with data
 * @param on_writable	called with data
 * @param data			data for the callbacks
 * @param cleanup		called with data after the last of them
 * @return				instance, NULL on failure, with errno set
 */
esptcp_watch_t *esptcp_watch_create(esptcp_poller_t *poller, int fd,
									esptcp_watch_cb_t on_readable,
									esptcp_watch_cb_t on_writable, void *data,
									void (*cleanup)(void *data));

#endif /** ESPTCP_WATCH_H_ @}*/
