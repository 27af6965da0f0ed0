/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_GSO_H
#define ESPTCP_GSO_H

#include <linux/netfilter.h>

#include "types.h"

/**
 * struct esptcp_headers - what a packet begins with
 * @family: AF_INET or AF_INET6
 * @protocol: what follows the IP header
 * @ip: octets of the IP header
 * @transport: octets of the TCP or UDP header behind it
 */
struct esptcp_headers {
	u16 family;
	u8 protocol;
	unsigned int ip;
	unsigned int transport;
};

bool esptcp_gso_ip(struct sk_buff *skb, struct esptcp_headers *h);
unsigned int esptcp_gso_segments(struct sk_buff *skb, struct esptcp_headers *h);
bool esptcp_gso_confirm(struct sk_buff *skb);
bool esptcp_gso_tracked(const struct sk_buff *skb);
void esptcp_gso_cut(struct sk_buff *skb, const struct nf_hook_state *state,
		    netdev_features_t features,
		    void (*send)(struct sk_buff *skb,
				 const struct nf_hook_state *state, void *ctx),
		    void *ctx);
unsigned int esptcp_gso_guard(struct sk_buff *skb,
			      const struct nf_hook_state *state);

#endif /* ESPTCP_GSO_H */
