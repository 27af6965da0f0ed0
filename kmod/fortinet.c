// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks of the fortinet framing. They are registered in a
 * namespace while it has such a connection, so that nobody else pays for them.
 *
 * Counted under esptcp_net.lock; the hooks run under RCU.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "fortinet.h"
#include "pmtu.h"
#include "segment_rx.h"

static unsigned int input_ipv4(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	switch (ip_hdr(skb)->protocol) {
	case IPPROTO_TCP:
		return esptcp_segment_rx_ipv4(skb, state);
	case IPPROTO_ICMP:
		esptcp_pmtu_icmp(skb, state);
		break;
	}
	return NF_ACCEPT;
}

static unsigned int input_ipv6(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	switch (ipv6_hdr(skb)->nexthdr) {
	case IPPROTO_TCP:
		return esptcp_segment_rx_ipv6(skb, state);
	case IPPROTO_ICMPV6:
		esptcp_pmtu_icmpv6(skb, state);
		break;
	}
	return NF_ACCEPT;
}

/*
 * Input behind rules of the priority raw, with which an operator may refuse
 * segments, and before connection tracking. Output before NAT, so that ICMP
 * errors go to the sender.
 */
static const struct nf_hook_ops hooks[] = {
	{
		.hook = input_ipv4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW + 1,
	},
	{
		.hook = input_ipv6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_RAW + 1,
	},
	{
		.hook = esptcp_pmtu_output,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = esptcp_pmtu_output,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP6_PRI_FIRST,
	},
};

/**
 * esptcp_fortinet_get() - have the hooks, for one more connection
 * @en: the namespace, locked
 *
 * Return: 0 or a negative errno
 */
int esptcp_fortinet_get(struct esptcp_net *en)
{
	int err;

	lockdep_assert_held(&en->lock);
	if (!en->nfortinet) {
		err = nf_register_net_hooks(en->net, hooks, ARRAY_SIZE(hooks));
		if (err)
			return err;
	}
	en->nfortinet++;
	return 0;
}

/**
 * esptcp_fortinet_put() - undo esptcp_fortinet_get()
 * @en: the namespace, locked
 */
void esptcp_fortinet_put(struct esptcp_net *en)
{
	lockdep_assert_held(&en->lock);
	if (!--en->nfortinet)
		nf_unregister_net_hooks(en->net, hooks, ARRAY_SIZE(hooks));
}
