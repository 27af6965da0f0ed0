/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_version esptcp_version
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_VERSION_H_
#define ESPTCP_VERSION_H_

#include <library.h>

/**
 * Check that the running daemon is the version of strongSwan that this plugin
 * was compiled for. Structures differ between versions, and before 6.0.3
 * strongSwan does not check that itself.
 *
 * It may be called before anything else of strongSwan is used.
 *
 * @return				TRUE if so
 */
bool esptcp_version_check();

#endif /** ESPTCP_VERSION_H_ @}*/
