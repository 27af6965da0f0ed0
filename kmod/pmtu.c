// SPDX-License-Identifier: GPL-2.0
/*
 * Path MTU discovery for the fortinet framing.
 *
 * XFRM reckons with what an ESP packet adds, and does not know of the TCP
 * header behind. So packets on their way into XFRM are looked at once more:
 * what would be too big for a segment is answered with the ICMP error that
 * XFRM would send, or fragmented if it may be, before it is encrypted. What
 * goes to the SA's own end, as in transport mode, is neither: local TCP's
 * packets are cut up smaller, others dropped.
 *
 * In the other direction, routers answer to segments with ICMP errors that
 * TCP ignores, as they do not fit its stream. They are passed to the route, if
 * what they quote is a segment of ours, and the firewall lets them in.
 *
 * Runs in netfilter's hooks, under RCU.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include "binding.h"
#include "gso.h"
#include "pmtu.h"
#include "segment.h"
#include "segment_tx.h"
#include "stats.h"
#include "tuple.h"

/* What each router quotes of a TCP header. */
struct quoted_tcp {
	__be16 source;
	__be16 dest;
	__be32 seq;
};

/* Look what the route to a connection's peer says now. */
static void route_look(struct esptcp_conn *conn)
{
	local_bh_disable();
	dst_release(esptcp_segment_route(conn));
	local_bh_enable();
}

/* Tell the route to a connection's peer what a router said. */
static void route_update(struct esptcp_conn *conn, u32 mtu)
{
	struct dst_entry *dst;

	/* Behind a rule that queues packets for a process they are not. */
	local_bh_disable();
	dst = esptcp_segment_route(conn);
	if (dst && mtu < dst_mtu(dst))
		dst->ops->update_pmtu(dst, conn->sk, NULL, mtu, false);
	dst_release(dst);
	local_bh_enable();
	/* What was learned is in another route now. */
	route_look(conn);
}

/*
 * Whether a router quotes a segment of ours, with its TCP header at @offset. It
 * quotes the SPI, too (RFC 1812 section 4.3.2.3), or only the eight octets that
 * an old one has to; those have to be a number that is used again and again.
 */
static bool is_ours(const struct esptcp_conn *conn, const struct sk_buff *skb,
		    unsigned int offset, const struct quoted_tcp *quoted)
{
	const struct esptcp_segments *seg = &conn->segments;
	const struct esptcp_binding *b;
	const __be32 *spi;
	__be32 buf;

	offset += seg->overhead;
	spi = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!spi)
		return seg->profile.seq <= ESPTCP_POLICY_SA && seg->last_seq &&
		       ntohl(quoted->seq) == READ_ONCE(seg->last_seq);
	b = esptcp_binding_find_out(sock_net(conn->sk), conn->family,
				    &conn->remote, *spi);
	return b && rcu_access_pointer(b->conn) == conn;
}

/* @tuple has the addresses; the quoted TCP header is at @offset. */
static void learn(const struct sk_buff *skb, const struct net_device *dev,
		  unsigned int offset, struct esptcp_tuple *tuple, u32 mtu)
{
	const struct quoted_tcp *quoted;
	struct quoted_tcp buf;
	struct esptcp_conn *conn;

	quoted = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!quoted)
		return;
	tuple->local_port = quoted->source;
	tuple->remote_port = quoted->dest;
	conn = esptcp_tuple_find(tuple, dev);
	if (conn && ip_sk_accept_pmtu(conn->sk) &&
	    is_ours(conn, skb, offset, quoted))
		route_update(conn, mtu);
}

/**
 * esptcp_pmtu_icmp() - learn from "fragmentation needed"
 * @priv: not used
 * @skb: a packet for this host, which begins with its IP header
 * @state: of the hook
 *
 * Return: NF_ACCEPT, as the packet is for ICMP, too
 */
unsigned int esptcp_pmtu_icmp(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	unsigned int offset = ip_hdrlen(skb);
	struct esptcp_tuple tuple = { .net = state->net, .family = AF_INET };
	const struct icmphdr *icmph;
	struct icmphdr icmph_buf;
	const struct iphdr *iph;
	struct iphdr iph_buf;

	/* Of the values of ip_no_pmtu_disc, 2 is to believe nobody. */
	if (ip_hdr(skb)->protocol != IPPROTO_ICMP ||
	    READ_ONCE(state->net->ipv4.sysctl_ip_no_pmtu_disc) == 2)
		return NF_ACCEPT;
	icmph = skb_header_pointer(skb, offset, sizeof(icmph_buf), &icmph_buf);
	if (!icmph || icmph->type != ICMP_DEST_UNREACH ||
	    icmph->code != ICMP_FRAG_NEEDED ||
	    nf_ip_checksum(skb, state->hook, offset, IPPROTO_ICMP))
		return NF_ACCEPT;
	offset += sizeof(*icmph);
	iph = skb_header_pointer(skb, offset, sizeof(iph_buf), &iph_buf);
	if (!iph || iph->protocol != IPPROTO_TCP ||
	    iph->saddr != ip_hdr(skb)->daddr)
		return NF_ACCEPT;
	tuple.local.a4 = iph->saddr;
	tuple.remote.a4 = iph->daddr;
	learn(skb, state->in, offset + iph->ihl * 4, &tuple,
	      ntohs(icmph->un.frag.mtu));
	return NF_ACCEPT;
}

/**
 * esptcp_pmtu_icmpv6() - learn from "packet too big"
 * @priv: not used
 * @skb: a packet for this host, which begins with its IPv6 header
 * @state: of the hook
 *
 * Return: NF_ACCEPT, as the packet is for ICMPv6, too
 */
unsigned int esptcp_pmtu_icmpv6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	unsigned int offset = sizeof(struct ipv6hdr);
	struct esptcp_tuple tuple = { .net = state->net, .family = AF_INET6 };
	const struct icmp6hdr *icmph;
	struct icmp6hdr icmph_buf;
	const struct ipv6hdr *ip6h;
	struct ipv6hdr ip6h_buf;

	if (ipv6_hdr(skb)->nexthdr != IPPROTO_ICMPV6)
		return NF_ACCEPT;
	icmph = skb_header_pointer(skb, offset, sizeof(icmph_buf), &icmph_buf);
	if (!icmph || icmph->icmp6_type != ICMPV6_PKT_TOOBIG ||
	    nf_ip6_checksum(skb, state->hook, offset, IPPROTO_ICMPV6))
		return NF_ACCEPT;
	offset += sizeof(*icmph);
	ip6h = skb_header_pointer(skb, offset, sizeof(ip6h_buf), &ip6h_buf);
	if (!ip6h || ip6h->nexthdr != IPPROTO_TCP ||
	    !ipv6_addr_equal(&ip6h->saddr, &ipv6_hdr(skb)->daddr))
		return NF_ACCEPT;
	tuple.local.in6 = ip6h->saddr;
	tuple.remote.in6 = ip6h->daddr;
	learn(skb, state->in, offset + sizeof(*ip6h), &tuple,
	      ntohl(icmph->icmp6_mtu));
	return NF_ACCEPT;
}

/* The connection that takes the packets of an SA in segments, or NULL. */
static struct esptcp_conn *segments_of(struct net *net,
				       const struct xfrm_state *x)
{
	const struct esptcp_binding *b;
	struct esptcp_conn *conn;

	if (x->id.proto != IPPROTO_ESP)
		return NULL;
	b = esptcp_binding_find_out(net, x->props.family, &x->id.daddr,
				    x->id.spi);
	conn = b ? rcu_dereference(b->conn) : NULL;
	return conn && esptcp_framing(conn) == ESPTCP_FRAMING_FORTINET ? conn : NULL;
}

/*
 * How big a packet may be that goes into XFRM. Segments need not take the route
 * that XFRM found for the SA. An IPv6 packet that is no bigger than any link
 * must take is let through; if its segment is too big for the path, it is
 * dropped there.
 */
static unsigned int inner_mtu(const struct esptcp_conn *conn,
			      const struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb);
	u32 mtu = min(dst_mtu(xfrm_dst_child(dst)),
		      READ_ONCE(conn->segments.mtu));

	mtu = xfrm_state_mtu(dst->xfrm, mtu - conn->segments.overhead);
	mtu = min(mtu, dst_mtu(dst));
	if (skb->protocol == htons(ETH_P_IPV6))
		mtu = max_t(u32, mtu, IPV6_MIN_MTU);
	return mtu;
}

static bool fits(const struct sk_buff *skb, unsigned int mtu)
{
	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) :
				 skb->len <= mtu;
}

/*
 * Whether a local packet is for the SA's own end. An ICMP error would change
 * the path MTU of the very route with which we reckon, again and again.
 */
static bool same_end(const struct sk_buff *skb, const struct xfrm_state *x)
{
	if (skb->protocol == htons(ETH_P_IPV6))
		return x->props.family == AF_INET6 &&
		       !(IP6CB(skb)->flags & IP6SKB_FORWARDED) &&
		       ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &x->id.daddr.in6);
	return x->props.family == AF_INET &&
	       !(IPCB(skb)->flags & IPSKB_FORWARDED) &&
	       ip_hdr(skb)->daddr == x->id.daddr.a4;
}

/* What a tunnel has put into a packet of its own keeps TCP's socket. */
static bool is_tcp(const struct sk_buff *skb)
{
	return !skb->encapsulation &&
	       (skb->protocol == htons(ETH_P_IPV6) ?
			ipv6_hdr(skb)->nexthdr : ip_hdr(skb)->protocol) == IPPROTO_TCP;
}

/* Let a local TCP's packet be sent in smaller segments. Return: if possible. */
static bool tcp_shrink(struct sk_buff *skb, unsigned int mtu)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	bool ipv6 = skb->protocol == htons(ETH_P_IPV6);
	unsigned int headers;

	/* A socket that signs its segments has to cut them itself. */
	if (!skb->sk || !sk_fullsock(skb->sk) || !sk_is_tcp(skb->sk) ||
	    skb->sk->sk_gso_disabled || skb->ip_summed != CHECKSUM_PARTIAL ||
	    !is_tcp(skb))
		return false;
	headers = skb_transport_offset(skb) - skb_network_offset(skb) +
		  tcp_hdrlen(skb);
	if (mtu <= headers)
		return false;
	/* TCP's own packet shares these, and sets them anew when it needs them. */
	shinfo->gso_type |= ipv6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
	shinfo->gso_size = mtu - headers;
	shinfo->gso_segs = DIV_ROUND_UP(skb->len - headers, shinfo->gso_size);
	return true;
}

/*
 * Whether connection tracking has put the packet together from fragments, the
 * largest of which may go on as it is.
 */
static bool came_in_fragments(const struct sk_buff *skb, unsigned int mtu)
{
	unsigned int largest = skb->protocol == htons(ETH_P_IPV6) ?
			       IP6CB(skb)->frag_max_size :
			       IPCB(skb)->frag_max_size;

	return skb->ignore_df && largest && largest <= mtu;
}

/* Transport mode is for whole packets (RFC 4303 section 3.1.1). */
static bool may_fragment(const struct sk_buff *skb, const struct xfrm_state *x,
			 unsigned int mtu)
{
	return skb->protocol == htons(ETH_P_IP) &&
	       x->props.mode == XFRM_MODE_TUNNEL &&
	       (!(ip_hdr(skb)->frag_off & htons(IP_DF)) ||
		came_in_fragments(skb, mtu));
}

/* @ctx: the MTU */
static void fragment_one(struct sk_buff *skb, const struct nf_hook_state *state,
			 void *ctx)
{
	unsigned int largest = IPCB(skb)->frag_max_size;
	const unsigned int *mtu = ctx;

	IPCB(skb)->frag_max_size = min_not_zero(largest, *mtu);
	ip_do_fragment(state->net, state->sk, skb, state->okfn);
}

/* GRO may have merged it, or TCP not yet cut. */
static unsigned int fragment(struct sk_buff *skb,
			     const struct nf_hook_state *state,
			     unsigned int mtu)
{
	/* It is too big then, and lost; the flow's next packets are not. */
	if (!esptcp_gso_confirm(skb))
		return NF_ACCEPT;
	if (skb_is_gso(skb))
		esptcp_gso_cut(skb, state, NETIF_F_SG | NETIF_F_HW_CSUM,
			       fragment_one, &mtu);
	else
		fragment_one(skb, state, &mtu);
	return NF_STOLEN;
}

/* A packet for the SA's own end: the bundle's users learn from the bundle. */
static unsigned int too_big_same_end(struct esptcp_conn *conn,
				     struct sk_buff *skb,
				     const struct nf_hook_state *state,
				     unsigned int mtu)
{
	struct dst_entry *dst = skb_dst(skb);

	dst_metric_set(dst, RTAX_MTU, mtu);
	if (tcp_shrink(skb, mtu))
		return NF_ACCEPT;
	if (may_fragment(skb, dst_xfrm(dst), mtu))
		return fragment(skb, state, mtu);
	if (skb->sk)
		xfrm_local_error(skb, mtu);
	esptcp_drop(state->net, conn, skb, ESPTCP_A_STATS_TX_DROP_INNER_MTU);
	return NF_STOLEN;
}

/*
 * Not every local sender learns from an ICMP error. What is asked here, and for
 * the error, looks at the device: local packets have none before they leave
 * XFRM, and TCP's may have a node of its queue in its place.
 */
static void tell_route(struct sk_buff *skb, unsigned int mtu)
{
	struct dst_entry *dst = skb_dst(skb);

	if (skb->sk) {
		skb->dev = ((struct xfrm_dst *)dst)->route->dev;
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		skb->dev = dst->dev;
	} else if (!skb->dev) {
		skb->dev = dst->dev;
	}
}

/*
 * Its address is the one before NAT. A socket of the kernel's own may be that
 * of ICMP, which is locked; it has been told by its route.
 */
static void tell_sender(struct sk_buff *skb, unsigned int mtu)
{
	const struct sock *sk = skb_to_full_sk(skb);

	if (sk && sk->sk_kern_sock)
		return;
	if (skb->protocol == htons(ETH_P_IPV6))
		icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	else
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      htonl(mtu));
}

static unsigned int too_big(struct esptcp_conn *conn, struct sk_buff *skb,
			    const struct nf_hook_state *state, unsigned int mtu)
{
	const struct xfrm_state *x = dst_xfrm(skb_dst(skb));

	if (same_end(skb, x))
		return too_big_same_end(conn, skb, state, mtu);
	if (may_fragment(skb, x, mtu))
		return fragment(skb, state, mtu);
	tell_route(skb, mtu);
	tell_sender(skb, mtu);
	esptcp_drop(state->net, conn, skb, ESPTCP_A_STATS_TX_DROP_INNER_MTU);
	return NF_STOLEN;
}

/*
 * Whether XFRM will do what is needed: it fragments a local sender's IPv6
 * packets for tunnel mode, and what connection tracking has put together, and
 * only it can. The latter's bundle is theirs alone.
 */
static bool left_to_xfrm(const struct sk_buff *skb, struct dst_entry *dst,
			 unsigned int mtu)
{
	if (skb->protocol != htons(ETH_P_IPV6) || skb_is_gso(skb) ||
	    dst_xfrm(dst)->props.mode != XFRM_MODE_TUNNEL)
		return false;
	if (came_in_fragments(skb, mtu) && !skb->sk && mtu < dst_mtu(dst))
		dst_metric_set(dst, RTAX_MTU, mtu);
	return mtu >= dst_mtu(dst);
}

/**
 * esptcp_pmtu_output() - see whether a packet will fit into a segment
 * @priv: not used
 * @skb: a packet that leaves, perhaps into XFRM
 * @state: of the hook
 *
 * Return: NF_ACCEPT or NF_STOLEN
 */
unsigned int esptcp_pmtu_output(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct dst_entry *dst = skb_dst(skb);
	struct esptcp_conn *conn;
	unsigned int mtu;

	if (!dst || !dst_xfrm(dst))
		return NF_ACCEPT;
	conn = segments_of(state->net, dst_xfrm(dst));
	if (!conn)
		return NF_ACCEPT;
	if (fits(skb, inner_mtu(conn, skb)))
		return NF_ACCEPT;
	/* That was the MTU when the last segment left. */
	route_look(conn);
	mtu = inner_mtu(conn, skb);
	if (fits(skb, mtu) || left_to_xfrm(skb, dst, mtu))
		return NF_ACCEPT;
	return too_big(conn, skb, state, mtu);
}
