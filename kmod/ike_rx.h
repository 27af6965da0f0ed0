/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_IKE_RX_H
#define ESPTCP_IKE_RX_H

#include "types.h"

void esptcp_ike_rx_init(struct esptcp_conn *conn);
struct sk_buff *esptcp_ike_rx_begin(struct esptcp_conn *conn);
bool esptcp_ike_rx_append(struct esptcp_conn *conn, struct sk_buff *skb,
			  const u8 *data, unsigned int n);
void esptcp_ike_rx_drop(struct esptcp_conn *conn, struct sk_buff *skb, int stat);
void esptcp_ike_rx_queue(struct esptcp_conn *conn, struct sk_buff *skb);
struct sk_buff *esptcp_ike_rx_dequeue(struct esptcp_conn *conn);
void esptcp_ike_rx_purge(struct esptcp_conn *conn);

#endif /* ESPTCP_IKE_RX_H */
