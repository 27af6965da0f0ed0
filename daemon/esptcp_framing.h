/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_framing esptcp_framing
 * @{ @ingroup esptcp
 *
 * How a connection's ESP is put on the wire: in the stream (RFC 9329), or
 * behind TCP headers of its own (fortinet), of which the settings say what they
 * are like. What these mean is in kmod/README.md.
 */

#ifndef ESPTCP_FRAMING_H_
#define ESPTCP_FRAMING_H_

#include <library.h>

#include <linux/esptcp.h>

struct nl_msg;

typedef struct esptcp_framing_t esptcp_framing_t;

/**
 * A framing with its settings.
 */
struct esptcp_framing_t {
	/** TRUE for fortinet, FALSE for RFC 9329 */
	bool fortinet;
	/** which values are set, a bit for each */
	uint32_t set;
	/** attributes of the profile, indexed by ESPTCP_A_PROFILE_* */
	uint32_t values[ESPTCP_A_PROFILE_MAX + 1];
};

/**
 * Get the framing that is configured for a connection.
 *
 * @param name			name of the connection
 * @param framing		gets the settings
 * @return				FALSE if the settings are wrong, which has been logged
 */
bool esptcp_framing_get(char *name, esptcp_framing_t *framing);

/**
 * Check what is configured for a connection, and log what is wrong or has no
 * effect.
 *
 * @param name			name of the connection
 * @return				FALSE if the settings are wrong
 */
bool esptcp_framing_check(char *name);

/**
 * Add a framing to a request to the kernel module.
 *
 * @param framing		framing
 * @param msg			request
 * @return				FALSE if there is no room for it
 */
bool esptcp_framing_put(esptcp_framing_t *framing, struct nl_msg *msg);

#endif /** ESPTCP_FRAMING_H_ @}*/
