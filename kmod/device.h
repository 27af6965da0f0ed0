/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_DEVICE_H
#define ESPTCP_DEVICE_H

#include "types.h"

int esptcp_device_get(struct esptcp_net *en);
void esptcp_device_put(struct esptcp_net *en);
void esptcp_device_xmit(struct net *net, struct sk_buff *skb);
void esptcp_device_sent(struct net *net, unsigned int packets,
			unsigned int bytes);
void esptcp_device_net_exit(struct esptcp_net *en);

#endif /* ESPTCP_DEVICE_H */
