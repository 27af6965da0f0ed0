/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_SEGMENT_TX_H
#define ESPTCP_SEGMENT_TX_H

#include "types.h"

void esptcp_segment_tx(struct net *net, const struct esptcp_binding *b,
		       struct esptcp_conn *conn, struct sk_buff *skb,
		       unsigned int offset);
struct dst_entry *esptcp_segment_route(struct esptcp_conn *conn);

#endif /* ESPTCP_SEGMENT_TX_H */
