/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_DEVICE_H
#define ESPTCP_DEVICE_H

#include "types.h"

int esptcp_device_init(void);
void esptcp_device_exit(void);
void esptcp_device_net_exit(struct esptcp_net *en);

int esptcp_device_need(struct esptcp_net *en);
bool esptcp_device_unwatched(struct net *net);
void esptcp_device_sent(struct net *net, unsigned int packets,
			unsigned int bytes);

#endif /* ESPTCP_DEVICE_H */
