/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_netlink esptcp_netlink
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_NETLINK_H_
#define ESPTCP_NETLINK_H_

#include "esptcp_framing.h"

#include <library.h>
#include <networking/host.h>

typedef struct esptcp_netlink_t esptcp_netlink_t;

/**
 * The kernel module's generic netlink family, see kmod/README.md.
 *
 * Every call waits for the kernel's answer, which is immediate. What fails is
 * logged. Thread-safe.
 */
struct esptcp_netlink_t {

	/**
	 * Check if the kernel module is there.
	 *
	 * @return			TRUE if so, otherwise it has been logged what to do
	 */
	bool (*check)(esptcp_netlink_t *this);

	/**
	 * Attach an established TCP connection.
	 *
	 * @param fd		socket, of which the stream prefix has gone or come
	 * @param originator	TRUE if this host opened the connection
	 * @param id		the kernel's number of the connection
	 * @return			TRUE if the socket now carries messages
	 */
	bool (*attach)(esptcp_netlink_t *this, int fd, bool originator,
				   uint32_t *id);

	/**
	 * Have an attached connection use the fortinet framing. It can't be undone.
	 *
	 * @param id		the kernel's number of the connection
	 * @param framing	settings of the framing
	 * @return			TRUE if it does so now, or did so already
	 */
	bool (*set_framing)(esptcp_netlink_t *this, uint32_t id,
						esptcp_framing_t *framing);

	/**
	 * Bind an SA to an attached connection, or move it to that.
	 *
	 * @param id		the kernel's number of the connection
	 * @param spi		SPI of the SA, in network order
	 * @param dst		destination address of the SA
	 * @param inbound	TRUE for an inbound SA
	 * @return			TRUE if bound
	 */
	bool (*bind)(esptcp_netlink_t *this, uint32_t id, uint32_t spi,
				 host_t *dst, bool inbound);

	/**
	 * Unbind an SA. The kernel must no longer know it, as its packets would
	 * leave as plain ESP from now on.
	 *
	 * @param spi		SPI of the SA, in network order
	 * @param dst		destination address of the SA
	 * @param inbound	TRUE for an inbound SA
	 */
	void (*unbind)(esptcp_netlink_t *this, uint32_t spi, host_t *dst,
				   bool inbound);

	/**
	 * Destroy a esptcp_netlink_t.
	 */
	void (*destroy)(esptcp_netlink_t *this);
};

/**
 * Create a esptcp_netlink_t instance.
 *
 * @return				instance, NULL if there is no netlink
 */
esptcp_netlink_t *esptcp_netlink_create();

#endif /** ESPTCP_NETLINK_H_ @}*/
