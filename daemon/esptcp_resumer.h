/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_resumer esptcp_resumer
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_RESUMER_H_
#define ESPTCP_RESUMER_H_

#include "esptcp_sessions.h"

typedef struct esptcp_resumer_t esptcp_resumer_t;

/**
 * Continues IKE_SAs when the connection that we opened for them is up again:
 * the peer needs an authentic message to know whose the new connection is, and
 * has to answer, or has forgotten the IKE_SA.
 */
struct esptcp_resumer_t {

	/**
	 * Destroy a esptcp_resumer_t. No thread may be left.
	 */
	void (*destroy)(esptcp_resumer_t *this);
};

/**
 * Create a esptcp_resumer_t instance.
 *
 * @param connections	TCP connections, which tell when they are up again
 * @param sessions		which IKE_SA uses which
 */
esptcp_resumer_t *esptcp_resumer_create(esptcp_connections_t *connections,
										esptcp_sessions_t *sessions);

#endif /** ESPTCP_RESUMER_H_ @}*/
