// SPDX-License-Identifier: GPL-2.0
/*
 * The hook in front of XFRM: what to do with a packet that an ESP SA is about
 * to take, when the firewall has passed it and NAT is done, and with it the
 * choice of the policy.
 *
 * Large packets for a stream do not get to XFRM, if encap.c can encapsulate them
 * in one pass. Of all others gso.c sees that XFRM numbers them correctly, in
 * each namespace and for whatever SA, as long as the module is loaded.
 *
 * Runs under RCU, in process context or with bottom halves disabled.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/xfrm.h>

#include "binding.h"
#include "device.h"
#include "encap.h"
#include "gso.h"
#include "output.h"

/* What is larger than a page, esp_output_head() would copy. */
static bool is_large(const struct sk_buff *skb)
{
	return skb_is_gso(skb) || skb->data_len > PAGE_SIZE;
}

/*
 * A packet that NAT has brought here only now is on its way through the stack's
 * output, with which it goes on. Nobody misses others at XFRM.
 */
static bool on_its_way(const struct sk_buff *skb,
		       const struct nf_hook_state *state)
{
	return skb->dev != state->in;
}

static bool output_encap(struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct xfrm_state *x = dst_xfrm(skb_dst(skb));
	const struct esptcp_binding *b;
	struct esptcp_conn *conn;
	bool taken;

	b = esptcp_binding_find_out(state->net, x->props.family, &x->id.daddr,
				    x->id.spi);
	conn = b ? rcu_dereference(b->conn) : NULL;
	/* A segment for each is what the stack makes of them, too. */
	if (!conn || esptcp_framing(conn) != ESPTCP_FRAMING_RFC9329 ||
	    skb->sk == conn->sk || !esptcp_device_unwatched(state->net))
		return false;
	local_bh_disable();
	taken = esptcp_encap(conn, skb, state->okfn);
	local_bh_enable();
	return taken;
}

static unsigned int output_hook(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	const struct dst_entry *dst = skb_dst(skb);
	const struct xfrm_state *x = dst ? dst_xfrm(dst) : NULL;

	if (!x)
		return NF_ACCEPT;
	esptcp_binding_release(state->net, dst);
	if (x->id.proto != IPPROTO_ESP || !is_large(skb))
		return NF_ACCEPT;
	if (!on_its_way(skb, state) && esptcp_gso_tracked(skb) &&
	    output_encap(skb, state))
		return NF_STOLEN;
	return esptcp_gso_guard(skb, state);
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook = output_hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = output_hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP6_PRI_LAST,
	},
};

/**
 * esptcp_output_net_init() - have the hook in a namespace
 * @net: the namespace
 *
 * Return: 0 or a negative errno
 */
int esptcp_output_net_init(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

/**
 * esptcp_output_net_exit() - undo esptcp_output_net_init()
 * @net: the namespace
 */
void esptcp_output_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
