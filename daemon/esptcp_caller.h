/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_caller esptcp_caller
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_CALLER_H_
#define ESPTCP_CALLER_H_

#include <networking/host.h>

typedef struct esptcp_caller_t esptcp_caller_t;

/**
 * Opens the TCP connections of a TCP Originator to one peer, from where and
 * when that has a chance.
 *
 * Not thread-safe.
 */
struct esptcp_caller_t {

	/**
	 * Start to connect.
	 *
	 * The port that the first message names is kept as long as the peer may not
	 * have got that message (RFC 9329 section 6.5). After that it is another
	 * one each time, as something on the way may remember what became of the
	 * last.
	 *
	 * @param local		address and port of the last call, or what to begin with;
	 *					replaced by what is used
	 * @param heard		TRUE if the peer has answered something
	 * @return			socket, -1 on failure, with errno set
	 */
	int (*call)(esptcp_caller_t *this, host_t **local, bool heard);

	/**
	 * Get our address that the routes choose now, any port.
	 *
	 * @param local		address that is preferred
	 * @return			host, to destroy, NULL if there is no route
	 */
	host_t *(*get_source)(esptcp_caller_t *this, host_t *local);

	/**
	 * Get the time until the next call: longer each time, and not the same for
	 * all connections that were lost together.
	 *
	 * @return			milliseconds
	 */
	u_int (*get_delay)(esptcp_caller_t *this);

	/**
	 * The call was worth it: there is a peer who answers.
	 */
	void (*succeeded)(esptcp_caller_t *this);

	/**
	 * Destroy a esptcp_caller_t.
	 */
	void (*destroy)(esptcp_caller_t *this);
};

/**
 * Create a esptcp_caller_t instance.
 *
 * @param remote		address and port of the peer, has to outlive this
 */
esptcp_caller_t *esptcp_caller_create(host_t *remote);

#endif /** ESPTCP_CALLER_H_ @}*/
