/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_holder esptcp_holder
 * @{ @ingroup esptcp
 */

#ifndef ESPTCP_HOLDER_H_
#define ESPTCP_HOLDER_H_

#include <library.h>

/**
 * Find the process that listens on a TCP port. /proc says so to whom may look
 * at that process; an AppArmor profile, or capabilities that charon has dropped
 * after its start, can be in the way.
 *
 * @param port			port
 * @param pid			gets the number of the process
 * @param name			gets its name
 * @param len			length of name
 * @return				TRUE if found
 */
bool esptcp_holder_find(uint16_t port, pid_t *pid, char *name, size_t len);

#endif /** ESPTCP_HOLDER_H_ @}*/
