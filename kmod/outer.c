// SPDX-License-Identifier: GPL-2.0
/*
 * Outer IP headers: what XFRM would put in front of an ESP packet, for those
 * that are made without it and need one.
 *
 * Called under RCU with the packet that is encapsulated, which still has the
 * route with the SA. No locks.
 */
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "outer.h"

static struct xfrm_state *outer_sa(const struct sk_buff *inner)
{
	return dst_xfrm(skb_dst(inner));
}

static u8 inner_dsfield(const struct sk_buff *inner)
{
	return inner->protocol == htons(ETH_P_IPV6) ?
		       ipv6_get_dsfield(ipv6_hdr(inner)) :
		       ipv4_get_dsfield(ip_hdr(inner));
}

static u8 outer_dsfield(const struct sk_buff *inner)
{
	struct xfrm_state *x = outer_sa(inner);
	u8 ds = inner_dsfield(inner);
	u8 outer = x->props.extra_flags & XFRM_SA_XFLAG_DONT_ENCAP_DSCP ? 0 : ds;

	outer = INET_ECN_encapsulate(outer, ds);
	return x->props.flags & XFRM_STATE_NOECN ? outer & ~INET_ECN_MASK : outer;
}

/* As xfrm4_tunnel_encap_add() does; length and checksum are ip_local_out()'s */
static void outer_ipv4(const struct sk_buff *inner, struct iphdr *iph)
{
	struct xfrm_state *x = outer_sa(inner);

	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = outer_dsfield(inner);
	iph->frag_off = htons(IP_DF);
	iph->ttl = ip4_dst_hoplimit(xfrm_dst_child(skb_dst(inner)));
	iph->protocol = IPPROTO_ESP;
	iph->saddr = x->props.saddr.a4;
	iph->daddr = x->id.daddr.a4;
	__ip_select_ident(xs_net(x), iph, 1);
}

/* As xfrm6_tunnel_encap_add() does; likewise */
static void outer_ipv6(const struct sk_buff *inner, struct ipv6hdr *ip6h)
{
	struct xfrm_state *x = outer_sa(inner);
	__be32 label = inner->protocol == htons(ETH_P_IPV6) ?
			       ip6_flowlabel(ipv6_hdr(inner)) : 0;

	ip6_flow_hdr(ip6h, outer_dsfield(inner), label);
	ip6h->payload_len = 0;
	ip6h->nexthdr = IPPROTO_ESP;
	ip6h->hop_limit = ip6_dst_hoplimit(xfrm_dst_child(skb_dst(inner)));
	ip6h->saddr = x->props.saddr.in6;
	ip6h->daddr = x->id.daddr.in6;
}

/**
 * esptcp_outer_len() - length of the outer IP header
 * @inner: the packet that is encapsulated
 *
 * Return: its octets; in transport mode those of the packet's own
 */
unsigned int esptcp_outer_len(const struct sk_buff *inner)
{
	struct xfrm_state *x = outer_sa(inner);

	if (x->props.family == AF_INET6)
		return sizeof(struct ipv6hdr);
	return x->props.mode == XFRM_MODE_TRANSPORT ? ip_hdrlen(inner) :
						      sizeof(struct iphdr);
}

/* The packet's own, as of segment @number */
static void outer_own(const struct sk_buff *inner, void *header,
		      unsigned int number)
{
	struct iphdr *iph = header;

	memcpy(header, skb_network_header(inner), esptcp_outer_len(inner));
	if (inner->protocol == htons(ETH_P_IP))
		iph->id = htons(ntohs(iph->id) + number);
}

static void outer_header(const struct sk_buff *inner, void *header,
			 unsigned int number)
{
	struct xfrm_state *x = outer_sa(inner);

	if (x->props.mode == XFRM_MODE_TRANSPORT)
		outer_own(inner, header, number);
	else if (x->props.family == AF_INET6)
		outer_ipv6(inner, header);
	else
		outer_ipv4(inner, header);
}

/**
 * esptcp_outer_alloc() - a packet that begins with an outer IP header
 * @inner: the packet that is encapsulated
 * @number: which part of that it is
 *
 * ESP is to be added. There is room in front for the headers of a link and of
 * TCP. Bottom halves are disabled.
 *
 * Return: the packet, or NULL
 */
struct sk_buff *esptcp_outer_alloc(const struct sk_buff *inner,
				   unsigned int number)
{
	unsigned int room = LL_MAX_HEADER + MAX_TCP_HEADER;
	unsigned int len = esptcp_outer_len(inner);
	struct sk_buff *skb;

	skb = alloc_skb(room + len, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put(skb, len);
	skb_reset_network_header(skb);
	skb->protocol = outer_sa(inner)->props.family == AF_INET6 ?
				htons(ETH_P_IPV6) : htons(ETH_P_IP);
	skb->priority = inner->priority;
	skb_copy_hash(skb, inner);
	outer_header(inner, skb_network_header(skb), number);
	return skb;
}
