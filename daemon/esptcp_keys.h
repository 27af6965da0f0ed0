/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * Finds settings that do not exist, which are most likely misspelt.
 *
 * @defgroup esptcp_keys esptcp_keys
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_KEYS_H_
#define ESPTCP_KEYS_H_

/**
 * Log all settings of the plugin that it does not know.
 */
void esptcp_keys_check();

#endif /** ESPTCP_KEYS_H_ @}*/
