/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_plugin esptcp_plugin
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_PLUGIN_H_
#define ESPTCP_PLUGIN_H_

#include <plugins/plugin.h>

typedef struct esptcp_plugin_t esptcp_plugin_t;

/**
 * Plugin that carries IKE and ESP over TCP (RFC 9329), with the kernel module
 * esptcp.
 */
struct esptcp_plugin_t {

	/**
	 * Implements plugin_t interface.
	 */
	plugin_t plugin;
};

#endif /** ESPTCP_PLUGIN_H_ @}*/
