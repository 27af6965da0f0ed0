/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_PMTU_H
#define ESPTCP_PMTU_H

#include <linux/netfilter.h>

#include "types.h"

unsigned int esptcp_pmtu_icmp(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int esptcp_pmtu_icmpv6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);
unsigned int esptcp_pmtu_output(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);

#endif /* ESPTCP_PMTU_H */
