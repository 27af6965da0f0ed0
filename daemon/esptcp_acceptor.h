/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_acceptor esptcp_acceptor
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_ACCEPTOR_H_
#define ESPTCP_ACCEPTOR_H_

#include "esptcp_connections.h"

typedef struct esptcp_acceptor_t esptcp_acceptor_t;

/**
 * The TCP ports that we listen on, for IPv4 and IPv6.
 */
struct esptcp_acceptor_t {

	/**
	 * Listen on the ports that are configured now, and on no others.
	 *
	 * @return			TRUE if there is one
	 */
	bool (*reload)(esptcp_acceptor_t *this);

	/**
	 * Close all ports and destroy a esptcp_acceptor_t.
	 */
	void (*destroy)(esptcp_acceptor_t *this);
};

/**
 * Create a esptcp_acceptor_t instance, which does not listen yet.
 *
 * @param connections	gets the connections that are accepted
 * @param counters		counts what is refused
 */
esptcp_acceptor_t *esptcp_acceptor_create(esptcp_connections_t *connections,
										  esptcp_counters_t *counters);

#endif /** ESPTCP_ACCEPTOR_H_ @}*/
