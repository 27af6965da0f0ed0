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
 * Connections from peers that have not shown who they are: how many there may
 * be, in all and of one peer, until their IKE_SA is established, and how long
 * each lasts. When there are too many, those that are silent make room.
 *
 * Thread-safe. Calls nobody who has a lock.
 */
struct esptcp_guests_t {

	/**
	 * Find a place for another connection: a free one, or that of a connection
	 * that has no IKE_SA yet, or one that does not go on. Of the peer that has
	 * most, the one that has been silent for longest is displaced. If a limit is
	 * reached, that is logged and counted.
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
	 * Find a connection that has to go for another one for want of descriptors,
	 * as admit() does. This is logged and counted.
	 *
	 * @return			number of the connection, 0 if none is silent
	 */
	uint32_t (*displace)(esptcp_guests_t *this);

	/**
	 * The peer has begun an IKE_SA, or it goes on with a message that charon
	 * has verified. It may be anybody's yet.
	 *
	 * @param id		number of the connection
	 */
	void (*proceed)(esptcp_guests_t *this, uint32_t id);

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
