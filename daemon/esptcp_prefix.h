/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_prefix esptcp_prefix
 * @{ @ingroup esptcp
 *
 * The stream prefix, the first octets of a TCP connection, from its originator
 * (RFC 9329 section 4).
 */

#ifndef ESPTCP_PREFIX_H_
#define ESPTCP_PREFIX_H_

#include <library.h>

/** Number of its octets */
#define ESPTCP_PREFIX_LEN 6

typedef struct esptcp_prefix_t esptcp_prefix_t;

/**
 * What a peer has sent of it.
 */
struct esptcp_prefix_t {
	/** octets */
	char received[ESPTCP_PREFIX_LEN];
	/** number of them */
	size_t len;
};

/**
 * Send the stream prefix.
 *
 * @param fd			socket, just connected
 * @return				FALSE if it was not sent
 */
bool esptcp_prefix_send(int fd);

/**
 * Read the rest of the stream prefix, not an octet more.
 *
 * @param this			what was read before, all 0 in the beginning
 * @param fd			socket
 * @return				SUCCESS if that is all, NEED_MORE, PARSE_ERROR if it is
 *						something else, FAILED with errno set if the
 *						connection has ended
 */
status_t esptcp_prefix_read(esptcp_prefix_t *this, int fd);

#endif /** ESPTCP_PREFIX_H_ @}*/
