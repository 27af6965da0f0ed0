/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_guests esptcp_guests
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_GUESTS_H_
#define ESPTCP_GUESTS_H_

#include <networking/host.h>

#include "esptcp_counters.h"

typedef struct esptcp_guests_t esptcp_guests_t;

/**
 * Connections from peers that have not shown who they are: how many may wait
 * for an IKE_SA, in all and of one peer, and how long one may last without an
 * IKE_SA that is established.
 *
 * Thread-safe. Calls nobody who has a lock.
 */
struct esptcp_guests_t {

	/**
	 * Find a place for another connection. If there is none, that is logged and
	 * counted.
	 *
	 * @param id		number of the connection
	 * @param peer		address of the peer
	 * @param displaced	gets the number of the connection that has to go for it,
	 *					0 if none has
	 * @return			FALSE if there is none
	 */
	bool (*admit)(esptcp_guests_t *this, uint32_t id, host_t *peer,
				  uint32_t *displaced);

	/**
	 * The peer has begun an IKE_SA, or continues one. It may be anybody's yet.
	 *
	 * @param id		number of the connection
	 */
	void (*begin)(esptcp_guests_t *this, uint32_t id);

	/**
	 * Forget a connection that has gone, or has an established IKE_SA.
	 *
	 * @param id		number of the connection
	 */
	void (*leave)(esptcp_guests_t *this, uint32_t id);

	/**
	 * Get the age of a connection.
	 *
	 * @param id		number of the connection
	 * @param waiting	gets TRUE if it waits for an IKE_SA
	 * @return			seconds, UINT_MAX if it was forgotten
	 */
	u_int (*get_age)(esptcp_guests_t *this, uint32_t id, bool *waiting);

	/**
	 * Destroy a esptcp_guests_t.
	 */
	void (*destroy)(esptcp_guests_t *this);
};

/**
 * Create a esptcp_guests_t instance.
 *
 * @param counters		counts who is refused and displaced
 */
esptcp_guests_t *esptcp_guests_create(esptcp_counters_t *counters);

#endif /** ESPTCP_GUESTS_H_ @}*/
