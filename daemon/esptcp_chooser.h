/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_chooser esptcp_chooser
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_CHOOSER_H_
#define ESPTCP_CHOOSER_H_

#include "esptcp_sessions.h"

typedef struct esptcp_chooser_t esptcp_chooser_t;

/**
 * Chooses the transport of IKE_SAs that we initiate, as the settings say.
 */
struct esptcp_chooser_t {

	/**
	 * Choose the transport of an IKE_SA, before its first request is encoded.
	 * There may be several of these: with a COOKIE, with another key exchange
	 * method, or from the beginning because the peer did not respond.
	 *
	 * @param ike_sa		IKE_SA
	 * @param message		its first request, which is told
	 * @param connection	reference to the connection that it has, adopted, may
	 *						be NULL
	 * @return				reference to the connection, NULL for UDP, or if there
	 *						is no way
	 */
	esptcp_connection_t *(*choose)(esptcp_chooser_t *this, ike_sa_t *ike_sa,
								   message_t *message,
								   esptcp_connection_t *connection);

	/**
	 * Destroy a esptcp_chooser_t.
	 */
	void (*destroy)(esptcp_chooser_t *this);
};

/**
 * Create a esptcp_chooser_t instance.
 *
 * @param sessions		which IKE_SA uses which connection
 */
esptcp_chooser_t *esptcp_chooser_create(esptcp_sessions_t *sessions);

#endif /** ESPTCP_CHOOSER_H_ @}*/
