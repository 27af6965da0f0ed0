/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_poller esptcp_poller
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_POLLER_H_
#define ESPTCP_POLLER_H_

#include <library.h>

typedef struct esptcp_poller_t esptcp_poller_t;

/**
 * Callback for a socket.
 *
 * @param data			data passed to add()
 * @param readable		TRUE if there is something to read, or an error
 * @param writable		TRUE if it can be written, or there is an error
 */
typedef void (*esptcp_poller_cb_t)(void *data, bool readable, bool writable);

/**
 * Watches sockets with one descriptor of epoll, which is all that charon's
 * watcher_t sees of them: that one looks at all its descriptors whenever one of
 * them is ready, so that the cost of a message would grow with the number of
 * connections.
 *
 * Callbacks are called one after the other, by a thread of charon that holds no
 * locks.
 *
 * Thread-safe. No lock is held while a callback runs.
 */
struct esptcp_poller_t {

	/**
	 * Add a socket, which is not watched until expect() is called.
	 *
	 * @param fd		socket, which has to stay open until stop() was called
	 * @param cb		called with data
	 * @param data		data for the callback
	 * @return			number of the socket, 0 on failure, with errno set
	 */
	uintptr_t (*add)(esptcp_poller_t *this, int fd, esptcp_poller_cb_t cb,
					 void *data);

	/**
	 * Watch a socket: for reading until it is stopped, for writing until it is
	 * ready once. What it is watched for already stays.
	 *
	 * @param id		number of the socket, which may be stopped already
	 * @param read		TRUE to watch for reading
	 * @param write		TRUE to watch for writing
	 */
	void (*expect)(esptcp_poller_t *this, uintptr_t id, bool read, bool write);

	/**
	 * Stop watching a socket. Calls nothing from now on; a callback may be
	 * running yet. Does not wait.
	 *
	 * @param id		number of the socket, which may be stopped already
	 */
	void (*stop)(esptcp_poller_t *this, uintptr_t id);

	/**
	 * Wait until a callback of a stopped socket has returned, if one runs. Not
	 * for callbacks, or who holds a lock that they want.
	 *
	 * @param id		number of the socket
	 */
	void (*wait)(esptcp_poller_t *this, uintptr_t id);

	/**
	 * Destroy a esptcp_poller_t, of which all sockets were stopped.
	 */
	void (*destroy)(esptcp_poller_t *this);
};

/**
 * Create a esptcp_poller_t instance.
 *
 * @return				instance, NULL on failure, which has been logged
 */
esptcp_poller_t *esptcp_poller_create();

#endif /** ESPTCP_POLLER_H_ @}*/
