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
	if (ip_hdr(skb)->protocol != IPPROTO_TCP)
		return NF_ACCEPT;
	return esptcp_segment_rx_ipv4(skb, state);
}

static unsigned int input_ipv6(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	if (ipv6_hdr(skb)->nexthdr != IPPROTO_TCP)
		return NF_ACCEPT;
	return esptcp_segment_rx_ipv6(skb, state);
}

#define HOOK(function, family, num, when) {	\
	.hook = (function),			\
	.pf = (family),				\
	.hooknum = (num),			\
	.priority = (when),			\
}

/*
 * Segments come in behind rules of the priority raw, with which an operator may
 * refuse them, and before connection tracking. ICMP errors are believed when
 * everybody has let them pass. What leaves is looked at when NAT is done, and
 * with it the choice of the policy, but before output.c takes it.
 */
static const struct nf_hook_ops hooks[] = {
	HOOK(input_ipv4, NFPROTO_IPV4, NF_INET_PRE_ROUTING, NF_IP_PRI_RAW + 1),
	HOOK(input_ipv6, NFPROTO_IPV6, NF_INET_PRE_ROUTING, NF_IP6_PRI_RAW + 1),
	HOOK(esptcp_pmtu_icmp, NFPROTO_IPV4, NF_INET_LOCAL_IN, NF_IP_PRI_LAST),
	HOOK(esptcp_pmtu_icmpv6, NFPROTO_IPV6, NF_INET_LOCAL_IN, NF_IP6_PRI_LAST),
	HOOK(esptcp_pmtu_output, NFPROTO_IPV4, NF_INET_POST_ROUTING, NF_IP_PRI_LAST - 1),
	HOOK(esptcp_pmtu_output, NFPROTO_IPV6, NF_INET_POST_ROUTING, NF_IP6_PRI_LAST - 1),
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
