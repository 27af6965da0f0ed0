/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_fallback esptcp_fallback
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_FALLBACK_H_
#define ESPTCP_FALLBACK_H_

#include <sa/ike_sa.h>

typedef struct esptcp_fallback_t esptcp_fallback_t;

/**
 * IKE_SAs that are initiated over UDP, and over TCP if nobody responds.
 */
struct esptcp_fallback_t {

	/**
	 * Watch an IKE_SA that begins over UDP.
	 *
	 * @param ike_sa	IKE_SA
	 * @param seconds	time without a response until it begins anew over TCP
	 */
	void (*watch)(esptcp_fallback_t *this, ike_sa_t *ike_sa, u_int seconds);

	/**
	 * Check if the IKE_SA that this thread handles is about to begin anew over
	 * TCP.
	 *
	 * @return			TRUE if so
	 */
	bool (*is_due)(esptcp_fallback_t *this);

	/**
	 * Destroy a esptcp_fallback_t. No thread may be left.
	 */
	void (*destroy)(esptcp_fallback_t *this);
};

/**
 * Create a esptcp_fallback_t instance.
 */
esptcp_fallback_t *esptcp_fallback_create();

#endif /** ESPTCP_FALLBACK_H_ @}*/
