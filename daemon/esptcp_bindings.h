/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_bindings esptcp_bindings
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_BINDINGS_H_
#define ESPTCP_BINDINGS_H_

#include <kernel/kernel_interface.h>

#include "esptcp_netlink.h"

typedef struct esptcp_bindings_t esptcp_bindings_t;

/**
 * The SAs that are bound to TCP connections, as we told the kernel module.
 *
 * A place (SPI, destination) belongs to one SA: the peer chooses the SPI of an
 * outbound one, and must not get that of another peer behind the same NAT.
 *
 * Thread-safe.
 */
struct esptcp_bindings_t {

	/**
	 * Bind an SA.
	 *
	 * @param sa		SA
	 * @param dst		destination address of the SA
	 * @param inbound	TRUE for an inbound SA
	 * @param id		number of the connection
	 * @param kernel_id	the kernel's number of the TCP connection
	 * @return			FALSE if that failed, or its place is another SA's
	 */
	bool (*bind)(esptcp_bindings_t *this, kernel_ipsec_sa_id_t *sa, host_t *dst,
				 bool inbound, uint32_t id, uint32_t kernel_id);

	/**
	 * Move all SAs of a connection to another TCP connection.
	 *
	 * @param from		number of the connection that they are bound to
	 * @param to		number of their connection from now on
	 * @param kernel_id	the kernel's number of the TCP connection
	 */
	void (*rebind)(esptcp_bindings_t *this, uint32_t from, uint32_t to,
				   uint32_t kernel_id);

	/**
	 * Check if an SA is bound.
	 *
	 * @param sa		SA
	 * @param inbound	gets TRUE for an inbound SA
	 * @return			TRUE if so
	 */
	bool (*is_bound)(esptcp_bindings_t *this, kernel_ipsec_sa_id_t *sa,
					 bool *inbound);

	/**
	 * Unbind an SA that the kernel does not have any more, if it is bound. An
	 * outbound one stays bound for a moment, as some of its packets may still
	 * be on their way through asynchronous cryptography.
	 *
	 * @param sa		SA
	 * @param dst		destination address of the SA
	 */
	void (*unbind)(esptcp_bindings_t *this, kernel_ipsec_sa_id_t *sa,
				   host_t *dst);

	/**
	 * Unbind what unbind() left for later and destroy the object. SAs that the
	 * kernel still has stay bound.
	 */
	void (*destroy)(esptcp_bindings_t *this);
};

/**
 * Create a esptcp_bindings_t instance.
 *
 * @param netlink		kernel module
 */
esptcp_bindings_t *esptcp_bindings_create(esptcp_netlink_t *netlink);

#endif /** ESPTCP_BINDINGS_H_ @}*/
