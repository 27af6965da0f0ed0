/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_kernel esptcp_kernel
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_KERNEL_H_
#define ESPTCP_KERNEL_H_

#include "esptcp_bindings.h"
#include "esptcp_routes.h"
#include "esptcp_sessions.h"

typedef struct esptcp_kernel_t esptcp_kernel_t;

/**
 * Stands between charon and its kernel interface, to bind the SAs of an IKE_SA
 * that uses TCP to its connection, and to route its large packets.
 *
 * An SA is bound before the kernel gets it and unbound after the kernel has
 * lost it, so that its packets can't leave in another way. An SA that can't be
 * bound is not installed; so SPIs that the module would not bind are not chosen.
 *
 * charon calls this from the thread that handles the IKE_SA.
 */
struct esptcp_kernel_t {

	/**
	 * Leave charon's kernel interface as it was and destroy the object.
	 */
	void (*destroy)(esptcp_kernel_t *this);
};

/**
 * Create a esptcp_kernel_t instance. There can be only one.
 *
 * @param sessions		which IKE_SA uses which connection
 * @param bindings		SAs that are bound to connections
 * @param routes		routes for large packets
 */
esptcp_kernel_t *esptcp_kernel_create(esptcp_sessions_t *sessions,
									  esptcp_bindings_t *bindings,
									  esptcp_routes_t *routes);

#endif /** ESPTCP_KERNEL_H_ @}*/
