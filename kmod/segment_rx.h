/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_SEGMENT_RX_H
#define ESPTCP_SEGMENT_RX_H

#include <linux/netfilter.h>

#include "types.h"

unsigned int esptcp_segment_rx_ipv4(struct sk_buff *skb,
				    const struct nf_hook_state *state);
unsigned int esptcp_segment_rx_ipv6(struct sk_buff *skb,
				    const struct nf_hook_state *state);

#endif /* ESPTCP_SEGMENT_RX_H */
