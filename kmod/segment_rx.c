// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving with the fortinet framing: takes segments that hold ESP out of
 * the way to TCP, before connection tracking sees them, and hands them to
 * XFRM as plain ESP.
 *
 * Where the connection uses the timestamps option and the profile's segments do
 * not, the option decides: what has it is the stream's, and goes on untouched;
 * what lacks it is not (RFC 7323 section 3.2), and TCP, which would take it for
 * data all the same, does not get it. It is ESP if the SPI of an inbound SA that
 * is bound to the connection stands where the profile puts it.
 *
 * Elsewhere the SPI decides, unless the segment reaches into TCP's window and
 * the profile says that ESP does not. What is not ESP goes on untouched; a
 * segment of the stream that happens to begin with an SPI is lost.
 *
 * What GRO has merged consists of segments of gso_size octets. If one of them
 * is ESP, the packet is cut up again, and each segment passes the hook anew.
 *
 * Runs in the PRE_ROUTING hook under RCU, and takes no lock.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include "binding.h"
#include "rx.h"
#include "segment.h"
#include "segment_rx.h"
#include "stats.h"
#include "tuple.h"

/**
 * struct arrival - a TCP packet that came in
 * @skb: the packet, which begins with its IP header
 * @conn: the connection to which it belongs
 * @th: a copy of its TCP header
 * @offset: of the TCP header
 * @payload: offset of what the segment holds
 */
struct arrival {
	struct sk_buff *skb;
	struct esptcp_conn *conn;
	struct tcphdr th;
	unsigned int offset;
	unsigned int payload;
};

static bool has_timestamps(const struct arrival *a)
{
	struct tcp_options_received opt = { .tstamp_ok = 1 };
	struct sk_buff *skb = a->skb;

	if (a->th.doff * 4 < sizeof(a->th) + TCPOLEN_TIMESTAMP)
		return false;
	if (!pskb_may_pull(skb, a->payload))
		return true;
	skb_set_transport_header(skb, a->offset);
	tcp_parse_options(sock_net(a->conn->sk), skb, &opt, 1, NULL);
	return opt.saw_tstamp;
}

/* Whether a segment that ends at @end, and has an SA's SPI, may be ESP. */
static bool may_be_esp(const struct arrival *a, __be32 spi, u32 end)
{
	const struct tcp_sock *tp = tcp_sk(a->conn->sk);

	if (esptcp_segment_told_apart(a->conn))
		return true;
	if (esptcp_segment_spi_like_ike(spi))
		return false;
	return a->conn->segments.profile.in_window ||
	       !after(end, READ_ONCE(tp->rcv_nxt));
}

/* What stands in front of the SPI: its size, or -1 if it cannot be right. */
static int prefix_size(const struct arrival *a, unsigned int pos,
		       unsigned int len)
{
	const __be16 *prefix;
	__be16 buf;

	if (!a->conn->segments.profile.length_prefix)
		return 0;
	prefix = skb_header_pointer(a->skb, a->payload + pos, sizeof(buf), &buf);
	return prefix && ntohs(*prefix) == len ? sizeof(buf) : -1;
}

/*
 * Find the SA of a segment, of @len octets at @pos of what the packet holds.
 * Return: its binding and the size of what stands in front of the ESP header,
 * or NULL if the segment is not ESP.
 */
static const struct esptcp_binding *find_sa(const struct arrival *a,
					    unsigned int pos, unsigned int len,
					    int *prefix)
{
	const struct esptcp_binding *b;
	const __be32 *spi;
	__be32 buf;

	*prefix = prefix_size(a, pos, len);
	if (*prefix < 0 || len < *prefix + ESPTCP_MIN_ESP)
		return NULL;
	spi = skb_header_pointer(a->skb, a->payload + pos + *prefix,
				 sizeof(buf), &buf);
	if (!spi)
		return NULL;
	b = esptcp_binding_find_in(a->conn, *spi);
	return b && may_be_esp(a, *spi, ntohl(a->th.seq) + pos + len) ? b : NULL;
}

/* Memory that somebody else may look at, or write to, is not decrypted in. */
static struct sk_buff *own_memory(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (!skb_cloned(skb) && !skb_is_nonlinear(skb))
		return skb;
	copy = skb_copy(skb, GFP_ATOMIC);
	if (copy)
		consume_skb(skb);
	return copy;
}

/*
 * Take @size octets out from behind the IP header, and make it say ESP. Nobody
 * verifies IPv4's checksum: XFRM takes the header off, or makes it anew.
 */
static void make_plain(struct sk_buff *skb, const struct esptcp_binding *b,
		       unsigned int offset, unsigned int size)
{
	memmove(skb->data + size, skb->data, offset);
	__skb_pull(skb, size);
	skb_reset_network_header(skb);
	if (b->family == AF_INET6) {
		ipv6_hdr(skb)->payload_len = htons(skb->len - offset);
		ipv6_hdr(skb)->nexthdr = IPPROTO_ESP;
		ipv6_hdr(skb)->daddr = b->daddr.in6;
	} else {
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_hdr(skb)->protocol = IPPROTO_ESP;
		ip_hdr(skb)->daddr = b->daddr.a4;
	}
	__skb_pull(skb, offset);
	skb_reset_transport_header(skb);
	skb->ip_summed = CHECKSUM_NONE;
}

static void take(const struct arrival *a, const struct esptcp_binding *b,
		 int prefix)
{
	unsigned int size = a->payload - a->offset + prefix;
	u32 end = ntohl(a->th.seq) + a->skb->len - a->payload;
	unsigned int offset = a->offset;
	struct esptcp_conn *conn = a->conn;
	struct net *net = sock_net(conn->sk);
	struct sk_buff *skb;

	if (READ_ONCE(conn->segments.peer_end) != end)
		WRITE_ONCE(conn->segments.peer_end, end);
	skb = own_memory(a->skb);
	if (!skb) {
		esptcp_drop(net, conn, a->skb,
			    ESPTCP_A_STATS_RX_DROP_NO_MEMORY);
		return;
	}
	make_plain(skb, b, offset, size);
	esptcp_count_packets(net, conn, ESPTCP_A_STATS_RX_ESP_FRAMES, 1,
			     skb->len);
	skb_orphan(skb);
	skb_dst_drop(skb);
	esptcp_rx_xfrm(skb, b->family, esptcp_rx_route(conn));
}

/* Whether one of the segments that GRO has merged is ESP. */
static bool any_esp(const struct arrival *a)
{
	unsigned int size = skb_shinfo(a->skb)->gso_size;
	unsigned int len = a->skb->len - a->payload;
	unsigned int pos;
	int prefix;

	for (pos = 0; pos < len; pos += size)
		if (find_sa(a, pos, min(size, len - pos), &prefix))
			return true;
	return false;
}

/*
 * Let each of the segments that GRO has merged come in by itself, with the link
 * header: behind XFRM, GRO merges only what has the same.
 */
static void cut_up(const struct arrival *a, const struct nf_hook_state *state)
{
	unsigned int mac_len = skb_mac_header_was_set(a->skb) ?
			       skb_network_header(a->skb) - skb_mac_header(a->skb) : 0;
	struct sk_buff *segs, *skb, *next;

	__skb_push(a->skb, mac_len);
	/* Without NETIF_F_SG, so that each is linear, in memory of its own. */
	segs = skb_gso_segment(a->skb, NETIF_F_HW_CSUM);
	if (IS_ERR_OR_NULL(segs)) {
		esptcp_drop(state->net, a->conn, a->skb,
			    ESPTCP_A_STATS_RX_DROP_NO_MEMORY);
		return;
	}
	consume_skb(a->skb);
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		skb_reset_mac_header(skb);
		__skb_pull(skb, mac_len);
		skb_reset_network_header(skb);
		skb_reset_mac_len(skb);
		NF_HOOK(state->pf, state->hook, state->net, state->sk, skb,
			state->in, state->out, state->okfn);
	}
}

/* Return: whether the packet was ESP, or had some in it. */
static bool take_esp(const struct arrival *a, const struct nf_hook_state *state)
{
	const struct esptcp_binding *b;
	int prefix;

	if (skb_is_gso(a->skb)) {
		if (!any_esp(a))
			return false;
		cut_up(a, state);
		return true;
	}
	b = find_sa(a, 0, a->skb->len - a->payload, &prefix);
	if (!b)
		return false;
	take(a, b, prefix);
	return true;
}

static unsigned int receive(const struct arrival *a,
			    const struct nf_hook_state *state)
{
	bool told_apart = esptcp_segment_told_apart(a->conn);

	if (told_apart && has_timestamps(a))
		return NF_ACCEPT;
	if (take_esp(a, state))
		return NF_STOLEN;
	if (!told_apart)
		return NF_ACCEPT;
	esptcp_drop(state->net, a->conn, a->skb,
		    ESPTCP_A_STATS_RX_DROP_UNBOUND);
	return NF_STOLEN;
}

/* Find the connection; @tuple has the addresses, this adds the ports. */
static unsigned int arrive(struct sk_buff *skb, unsigned int offset,
			   struct esptcp_tuple *tuple,
			   const struct nf_hook_state *state)
{
	struct arrival a = { .skb = skb, .offset = offset };
	unsigned int verdict;

	if (skb_copy_bits(skb, offset, &a.th, sizeof(a.th)) ||
	    a.th.syn || a.th.fin || a.th.rst || a.th.urg)
		return NF_ACCEPT;
	a.payload = offset + a.th.doff * 4;
	if (a.th.doff < 5 || a.payload >= skb->len)
		return NF_ACCEPT;
	tuple->net = state->net;
	tuple->local_port = a.th.dest;
	tuple->remote_port = a.th.source;
	a.conn = esptcp_tuple_find(tuple, state->in);
	if (!a.conn)
		return NF_ACCEPT;
	/* Behind a rule that queues packets for a process they are not. */
	local_bh_disable();
	verdict = receive(&a, state);
	local_bh_enable();
	return verdict;
}

/**
 * esptcp_segment_rx_ipv4() - look whether a TCP packet holds ESP
 * @skb: the packet, which begins with its IP header
 * @state: of the hook
 *
 * Return: NF_ACCEPT or NF_STOLEN
 */
unsigned int esptcp_segment_rx_ipv4(struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct esptcp_tuple tuple = {
		.family = AF_INET,
		.local.a4 = iph->daddr,
		.remote.a4 = iph->saddr,
	};

	if (ip_is_fragment(iph))
		return NF_ACCEPT;
	return arrive(skb, ip_hdrlen(skb), &tuple, state);
}

/**
 * esptcp_segment_rx_ipv6() - look whether a TCP packet holds ESP
 * @skb: the packet, which begins with its IPv6 header, and without extension
 *	headers
 * @state: of the hook
 *
 * Return: NF_ACCEPT or NF_STOLEN
 */
unsigned int esptcp_segment_rx_ipv6(struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct esptcp_tuple tuple = {
		.family = AF_INET6,
		.local.in6 = ip6h->daddr,
		.remote.in6 = ip6h->saddr,
	};

	return arrive(skb, sizeof(*ip6h), &tuple, state);
}
