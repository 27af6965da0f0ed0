// SPDX-License-Identifier: GPL-2.0
/*
 * Sending with the fortinet framing: puts a TCP header between the IP and the
 * ESP header that XFRM has made, and sends the packet beside the socket, on
 * the socket's addresses, ports and route.
 *
 * Runs under RCU with bottom halves disabled, and takes no lock. The packet
 * keeps XFRM's outer header, so DSCP, ECN and the time to live are what they
 * are for plain ESP. Nothing is queued: the device below does that.
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>

#include "segment.h"
#include "segment_tx.h"
#include "stats.h"

static struct dst_entry *route_ipv4(struct esptcp_conn *conn)
{
	const struct sock *sk = conn->sk;
	struct rtable *rt;
	struct flowi4 fl4;

	flowi4_init_output(&fl4, READ_ONCE(sk->sk_bound_dev_if),
			   READ_ONCE(sk->sk_mark), ip_sock_rt_tos(sk),
			   ip_sock_rt_scope(sk), IPPROTO_TCP,
			   inet_sk_flowi_flags(sk), conn->remote.a4,
			   conn->local.a4, conn->segments.tuple.remote_port,
			   conn->segments.tuple.local_port,
			   sock_net_uid(sock_net(sk), sk));
	/* Without a look at policies, of which the socket has a bypass. */
	rt = __ip_route_output_key(sock_net(sk), &fl4);
	if (IS_ERR(rt))
		return NULL;
	dst_cache_set_ip4(&conn->segments.route, &rt->dst, fl4.saddr);
	return &rt->dst;
}

static struct dst_entry *route_ipv6(struct esptcp_conn *conn)
{
	const struct sock *sk = conn->sk;
	struct flowi6 fl6 = {
		.daddr = conn->remote.in6,
		.saddr = conn->local.in6,
		.flowi6_oif = READ_ONCE(sk->sk_bound_dev_if),
		.flowi6_mark = READ_ONCE(sk->sk_mark),
		.flowi6_flags = inet_sk_flowi_flags(sk),
		.flowlabel = READ_ONCE(inet6_sk(sk)->flow_label),
		.flowi6_uid = sock_net_uid(sock_net(sk), sk),
		.flowi6_proto = IPPROTO_TCP,
		.fl6_sport = conn->segments.tuple.local_port,
		.fl6_dport = conn->segments.tuple.remote_port,
	};
	/* With the socket, as its device is binding for it only. */
	struct dst_entry *dst = ip6_route_output(sock_net(sk), sk, &fl6);

	if (dst->error) {
		dst_release(dst);
		return NULL;
	}
	dst_cache_set_ip6(&conn->segments.route, dst, &fl6.saddr);
	return dst;
}

/* As changing them does to the socket's own route */
static void route_check(struct esptcp_conn *conn)
{
	struct esptcp_segments *seg = &conn->segments;
	int bound_dev = READ_ONCE(conn->sk->sk_bound_dev_if);
	u32 mark = READ_ONCE(conn->sk->sk_mark);

	if (READ_ONCE(seg->mark) == mark &&
	    READ_ONCE(seg->bound_dev) == bound_dev)
		return;
	WRITE_ONCE(seg->mark, mark);
	WRITE_ONCE(seg->bound_dev, bound_dev);
	dst_cache_reset(&seg->route);
}

/**
 * esptcp_segment_route() - the route to a connection's peer
 * @conn: the connection
 *
 * The caller is under RCU, bottom halves are disabled. It is not the socket's
 * own route, which an idle socket does not renew.
 *
 * Return: the route with a reference, or NULL
 */
struct dst_entry *esptcp_segment_route(struct esptcp_conn *conn)
{
	struct esptcp_segments *seg = &conn->segments;
	struct dst_entry *dst;

	route_check(conn);
	dst = dst_cache_get(&seg->route);
	if (!dst)
		dst = conn->family == AF_INET6 ? route_ipv6(conn) :
						 route_ipv4(conn);
	if (dst && READ_ONCE(seg->mtu) != dst_mtu(dst))
		WRITE_ONCE(seg->mtu, dst_mtu(dst));
	return dst;
}

/* The checksum is left to the device, or to the stack in front of it. */
static void segment_checksum(struct sk_buff *skb, __sum16 pseudo)
{
	tcp_hdr(skb)->check = ~pseudo;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}

static int send_ipv4(struct net *net, const struct esptcp_conn *conn,
		     struct sk_buff *skb)
{
	unsigned int len = skb->len - skb_transport_offset(skb);
	struct iphdr *iph = ip_hdr(skb);

	iph->protocol = IPPROTO_TCP;
	iph->frag_off = htons(IP_DF);
	iph->saddr = conn->local.a4;
	iph->daddr = conn->remote.a4;
	segment_checksum(skb, tcp_v4_check(len, iph->saddr, iph->daddr, 0));

	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	IPCB(skb)->flags |= IPSKB_XFRM_TRANSFORMED;
	return ip_local_out(net, skb->sk, skb);
}

static int send_ipv6(struct net *net, const struct esptcp_conn *conn,
		     struct sk_buff *skb)
{
	unsigned int len = skb->len - skb_transport_offset(skb);
	struct ipv6hdr *ip6h = ipv6_hdr(skb);

	ip6h->nexthdr = IPPROTO_TCP;
	ip6h->saddr = conn->local.in6;
	ip6h->daddr = conn->remote.in6;
	segment_checksum(skb, tcp_v6_check(len, &ip6h->saddr, &ip6h->daddr, 0));

	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	IP6CB(skb)->flags |= IP6SKB_XFRM_TRANSFORMED;
	return ip6_local_out(net, skb->sk, skb);
}

/* Make room behind the IP header of @offset octets, and fill it. */
static void segment_build(struct esptcp_conn *conn,
			  const struct esptcp_binding *b, struct sk_buff *skb,
			  unsigned int offset)
{
	unsigned int size = conn->segments.overhead;
	unsigned int esp_len = skb->len - offset;

	__skb_push(skb, size);
	memmove(skb->data, skb->data + size, offset);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, offset);
	esptcp_segment_header(conn, b, tcp_hdr(skb), esp_len);
}

/* Our own connection tracking must not see numbers that are not TCP's. */
static void segment_forget(struct sk_buff *skb, const struct sock *sk,
			   struct dst_entry *dst)
{
	secpath_reset(skb);
	/* There is no inner checksum left for a device to make. */
	skb->encapsulation = 0;
	nf_reset_ct(skb);
	skb_set_nfct(skb, IP_CT_UNTRACKED);
	skb->mark = READ_ONCE(sk->sk_mark);
	skb->ignore_df = 0;
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
}

/* Return: 0, or the reason why the packet cannot become a segment. */
static int segment_prepare(struct esptcp_conn *conn, struct sk_buff *skb,
			   unsigned int offset, struct dst_entry *dst)
{
	unsigned int size = conn->segments.overhead;

	if (conn->family == AF_INET6 && offset != sizeof(struct ipv6hdr))
		return ESPTCP_A_STATS_TX_DROP_NOT_ESP;
	if (skb->len + size > dst_mtu(dst))
		return ESPTCP_A_STATS_TX_DROP_TOO_BIG;
	if (skb_cow_head(skb, size + LL_RESERVED_SPACE(dst->dev)))
		return ESPTCP_A_STATS_TX_DROP_NO_MEMORY;
	return 0;
}

/* Return: the route, or NULL and the reason. */
static struct dst_entry *segment_admit(struct esptcp_conn *conn,
				       struct sk_buff *skb,
				       unsigned int offset, int *reason)
{
	struct dst_entry *dst;

	*reason = ESPTCP_A_STATS_TX_DROP_NO_CONN;
	if (!READ_ONCE(conn->tx_open))
		return NULL;
	*reason = ESPTCP_A_STATS_TX_DROP_NO_ROUTE;
	dst = esptcp_segment_route(conn);
	if (!dst)
		return NULL;
	*reason = segment_prepare(conn, skb, offset, dst);
	if (!*reason)
		return dst;
	dst_release(dst);
	return NULL;
}

/**
 * esptcp_segment_tx() - send an ESP packet in a segment of its own
 * @net: the namespace
 * @b: the SA's binding, under RCU
 * @conn: the connection, likewise
 * @skb: the packet, which begins with the IP header; taken over
 * @offset: of the ESP header
 */
void esptcp_segment_tx(struct net *net, const struct esptcp_binding *b,
		       struct esptcp_conn *conn, struct sk_buff *skb,
		       unsigned int offset)
{
	unsigned int esp_len = skb->len - offset;
	struct dst_entry *dst;
	int reason, err;

	dst = segment_admit(conn, skb, offset, &reason);
	if (!dst) {
		esptcp_drop(net, conn, skb, reason);
		return;
	}
	segment_build(conn, b, skb, offset);
	segment_forget(skb, conn->sk, dst);
	err = conn->family == AF_INET6 ? send_ipv6(net, conn, skb) :
					 send_ipv4(net, conn, skb);
	if (net_xmit_eval(err)) {
		esptcp_count(net, conn, ESPTCP_A_STATS_TX_DROP_OUTPUT, 1);
		return;
	}
	esptcp_count_packets(net, conn, ESPTCP_A_STATS_TX_ESP_FRAMES, 1, esp_len);
}
