/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_FORTINET_H
#define ESPTCP_FORTINET_H

#include "types.h"

int esptcp_fortinet_get(struct esptcp_net *en);
void esptcp_fortinet_put(struct esptcp_net *en);

#endif /* ESPTCP_FORTINET_H */
