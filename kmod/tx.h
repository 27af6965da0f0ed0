/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_TX_H
#define ESPTCP_TX_H

#include "types.h"

int esptcp_tx_module_init(void);
void esptcp_tx_module_exit(void);
void esptcp_tx_init(struct esptcp_conn *conn);
void esptcp_tx_esp(struct net *net, struct esptcp_conn *conn,
		   struct sk_buff *skb);
void esptcp_tx_frames(struct net *net, struct esptcp_conn *conn,
		      struct sk_buff *skb, bool more);
bool esptcp_tx_fast(const struct esptcp_conn *conn, unsigned int len);
bool esptcp_tx_ike_room(const struct esptcp_conn *conn, unsigned int len);
void esptcp_tx_ike(struct esptcp_conn *conn, struct sk_buff *skb);
bool esptcp_tx_flush(struct esptcp_conn *conn);
void esptcp_tx_flush_bh(struct esptcp_conn *conn);
bool esptcp_tx_pending(const struct esptcp_conn *conn);
void esptcp_tx_end_esp(struct esptcp_conn *conn);
void esptcp_tx_end(struct esptcp_conn *conn);

#endif /* ESPTCP_TX_H */
