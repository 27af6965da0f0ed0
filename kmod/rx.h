/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_RX_H
#define ESPTCP_RX_H

#include "types.h"

void esptcp_rx_init(struct esptcp_conn *conn);
void esptcp_rx_end(struct esptcp_conn *conn);
struct dst_entry *esptcp_rx_route(const struct esptcp_conn *conn);
void esptcp_rx_xfrm(struct sk_buff *skb, u16 family, struct dst_entry *dst);

/* Not inlined, so that a test can make it fail. */
struct sk_buff *esptcp_alloc_skb(struct napi_struct *napi,
				 unsigned int headroom, unsigned int len);

#endif /* ESPTCP_RX_H */
