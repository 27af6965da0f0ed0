/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_routes esptcp_routes
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_ROUTES_H_
#define ESPTCP_ROUTES_H_

#include <kernel/kernel_interface.h>

/** Routing table with the route by the module's device */
#define ESPTCP_ROUTES_TABLE 4500

typedef struct esptcp_routes_t esptcp_routes_t;

/**
 * Routes for SAs over TCP whose packets may be larger than the network's.
 *
 * XFRM takes the MTU of a tunnel from two routes: that of the packet inside,
 * which charon itself installs and gives an MTU if it is told to, and that of
 * the ESP packet. The latter leads to the kernel module's device here, which
 * has the largest MTU and takes the ESP of bound SAs anyway.
 *
 * A tunnel may cover its own peer. What else goes there, ESP and ESP in UDP of
 * other SAs or segments of the fortinet framing, must not take charon's route
 * with that MTU: rules let it skip charon's table.
 *
 * Thread-safe.
 */
struct esptcp_routes_t {

	/**
	 * Route the packets of an outbound SA. If that fails, packets are as large
	 * as the network's.
	 *
	 * @param spi		SPI in network order
	 * @param src		source address of the SA
	 * @param dst		destination address of the SA
	 * @param large		TRUE to lead its ESP to the device, FALSE to have TCP
	 *					between these addresses skip charon's table
	 */
	void (*add)(esptcp_routes_t *this, uint32_t spi, host_t *src, host_t *dst,
				bool large);

	/**
	 * Follow an SA to other addresses, if it has been added.
	 *
	 * @param sa		SA, with the addresses that it had
	 * @param src		new source address
	 * @param dst		new destination address
	 */
	void (*move)(esptcp_routes_t *this, kernel_ipsec_sa_id_t *sa, host_t *src,
				 host_t *dst);

	/**
	 * Route the packets of an SA as before, if it has been added.
	 *
	 * @param sa		SA
	 */
	void (*remove)(esptcp_routes_t *this, kernel_ipsec_sa_id_t *sa);

	/**
	 * Remove all routes and destroy the object.
	 */
	void (*destroy)(esptcp_routes_t *this);
};

/**
 * Create a esptcp_routes_t instance, and remove the routes that a charon has
 * left that did not come to an orderly end.
 *
 * @param enabled		whether charon's routes allow large packets; FALSE to
 *						add none
 * @return				NULL if the kernel can't be talked to, which has been
 *						logged
 */
esptcp_routes_t *esptcp_routes_create(bool enabled);

#endif /** ESPTCP_ROUTES_H_ @}*/
