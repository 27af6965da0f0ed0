// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that are not cut into segments yet, on their way into XFRM.
 *
 * Where the kernel's esp4_offload or esp6_offload is loaded, XFRM takes such a
 * packet as it is. It counts as many sequence numbers as the packet says that
 * it has segments (gso_segs), and has it cut up behind. What a guest, a tunnel's
 * process or a BPF program made says 0: then all its segments have numbers that
 * XFRM gives to the next packets, too, and nonces are made from numbers. So
 * nothing passes here, of whatever SA, but what XFRM will number correctly;
 * anything else is cut up first. kmod/UPSTREAM.md has the details.
 *
 * Runs in the hook of output.c, under RCU, in process context or softirq.
 */
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/xfrm.h>

#include "gso.h"
#include "sequence.h"
#include "stats.h"

/* What TCP's segments may be like */
#define TCP_TYPES	(SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_TCP_ECN | \
			 SKB_GSO_TCP_FIXEDID | SKB_GSO_DODGY)

/*
 * What is to be cut smaller is not worth a packet of its own in XFRM, which
 * drops it, too: before it sets the offsets of the inner headers it reckons
 * with them.
 */
#define MIN_GSO_SIZE	512

/**
 * esptcp_gso_ip() - read a packet's IP header
 * @skb: the packet, which begins with it
 * @h: is filled, but for @h->transport
 *
 * Return: false if it is no IP header
 */
bool esptcp_gso_ip(struct sk_buff *skb, struct esptcp_headers *h)
{
	*h = (struct esptcp_headers){};
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		if (!pskb_network_may_pull(skb, sizeof(struct iphdr)))
			return false;
		h->family = AF_INET;
		h->ip = ip_hdrlen(skb);
		h->protocol = ip_hdr(skb)->protocol;
		return h->ip >= sizeof(struct iphdr);
	case htons(ETH_P_IPV6):
		if (!pskb_network_may_pull(skb, sizeof(struct ipv6hdr)))
			return false;
		h->family = AF_INET6;
		h->ip = sizeof(struct ipv6hdr);
		h->protocol = ipv6_hdr(skb)->nexthdr;
		return true;
	default:
		return false;
	}
}

static bool read_tcp(struct sk_buff *skb, struct esptcp_headers *h)
{
	unsigned int type = skb_shinfo(skb)->gso_type;
	const struct tcphdr *th;

	if (type & ~TCP_TYPES || !(type & (h->family == AF_INET6 ?
					   SKB_GSO_TCPV6 : SKB_GSO_TCPV4)) ||
	    !pskb_network_may_pull(skb, h->ip + sizeof(*th)))
		return false;
	th = (void *)skb_network_header(skb) + h->ip;
	h->transport = __tcp_hdrlen(th);
	return h->transport >= sizeof(*th) &&
	       pskb_network_may_pull(skb, h->ip + h->transport);
}

static bool read_udp(struct sk_buff *skb, struct esptcp_headers *h)
{
	h->transport = sizeof(struct udphdr);
	return !(skb_shinfo(skb)->gso_type & ~(SKB_GSO_UDP_L4 | SKB_GSO_DODGY)) &&
	       pskb_network_may_pull(skb, h->ip + h->transport);
}

/**
 * esptcp_gso_segments() - count the segments that a packet will be cut into
 * @skb: the packet, which begins with its IP header; its data may move
 * @h: is filled
 *
 * Its own words about them are not believed, but for their size.
 *
 * Return: their number, 0 if it is nothing ordinary or nothing to be cut
 */
unsigned int esptcp_gso_segments(struct sk_buff *skb, struct esptcp_headers *h)
{
	unsigned int headers;

	if (!skb_is_gso(skb) || !esptcp_gso_ip(skb, h) ||
	    (h->family == AF_INET && ip_is_fragment(ip_hdr(skb))) ||
	    (skb->ip_summed == CHECKSUM_PARTIAL &&
	     skb_checksum_start_offset(skb) != skb_network_offset(skb) + h->ip))
		return 0;
	if (!(h->protocol == IPPROTO_TCP ? read_tcp(skb, h) :
	      h->protocol == IPPROTO_UDP && read_udp(skb, h)))
		return 0;
	headers = skb_network_offset(skb) + h->ip + h->transport;
	return skb->len > headers ? DIV_ROUND_UP(skb->len - headers,
						 skb_shinfo(skb)->gso_size) : 0;
}

/**
 * esptcp_gso_confirm() - have connection tracking confirm a packet's flow
 * @skb: the packet, before it is cut up
 *
 * If connection tracking is behind us, it would not see the packet whole. Its
 * helpers, events and adjustments of TCP's numbers have to do without this packet.
 *
 * Return: whether the flow is confirmed
 */
bool esptcp_gso_confirm(struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	if (!ct || nf_ct_is_confirmed(ct) || nf_ct_is_template(ct))
		return true;
	return esptcp_compat_ct_confirm(skb) == NF_ACCEPT;
}

/**
 * esptcp_gso_cut() - cut a packet up
 * @skb: the packet; taken over, and dropped if it cannot be cut
 * @state: of the hook
 * @features: what those who get the segments can do for them
 * @send: gets each segment
 * @ctx: for @send
 */
void esptcp_gso_cut(struct sk_buff *skb, const struct nf_hook_state *state,
		    netdev_features_t features,
		    void (*send)(struct sk_buff *skb,
				 const struct nf_hook_state *state, void *ctx),
		    void *ctx)
{
	struct sk_buff *segs, *next;

	segs = skb_gso_segment(skb, features);
	if (IS_ERR_OR_NULL(segs)) {
		esptcp_drop(state->net, NULL, skb, ESPTCP_A_STATS_TX_DROP_GSO);
		return;
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		send(skb, state, ctx);
	}
}

/**
 * esptcp_gso_tracked() - whether connection tracking is done with a packet
 * @skb: the packet
 *
 * Its last hook has the priority of ours, and which one comes first depends on
 * which was there first. It confirms new flows, and has helpers change what
 * packets say.
 *
 * Return: true if it would do nothing to the packet any more
 */
bool esptcp_gso_tracked(const struct sk_buff *skb)
{
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	return !ct || nf_ct_is_template(ct) ||
	       (nf_ct_is_confirmed(ct) &&
		!(READ_ONCE(ct->status) &
		  (IPS_HELPER | IPS_EXPECTED | IPS_SEQ_ADJUST)));
}

static void go_on(struct sk_buff *skb, const struct nf_hook_state *state,
		  void *ctx)
{
	state->okfn(state->net, state->sk, skb);
}

/* What a helper makes longer has more segments; numbers may be left out. */
static unsigned int most_segments(struct sk_buff *skb)
{
	unsigned int gso_size = skb_shinfo(skb)->gso_size;
	struct esptcp_headers h;
	unsigned int segments = esptcp_gso_segments(skb, &h);

	if (!segments || esptcp_gso_tracked(skb))
		return segments;
	return max(segments, DIV_ROUND_UP(U16_MAX, gso_size));
}

/*
 * Whether XFRM and esp4_offload will give each segment a number of its own. For
 * IPv6, esp6_offload does not, whenever it encrypts instead of a device.
 */
static bool numbered(struct sk_buff *skb, struct xfrm_state *x)
{
	unsigned int segments;

	if (x->props.family == AF_INET6 ||
	    skb_shinfo(skb)->gso_size < MIN_GSO_SIZE)
		return false;
	segments = most_segments(skb);
	if (!segments || segments > U16_MAX || esptcp_sequence_near_wrap(x))
		return false;
	if (skb_shinfo(skb)->gso_segs == segments)
		return true;
	/* A capture may share what is written to. */
	if (skb_unclone(skb, GFP_ATOMIC))
		return false;
	skb_shinfo(skb)->gso_segs = segments;
	return true;
}

/**
 * esptcp_gso_guard() - let a packet into XFRM only as XFRM can number it
 * @skb: the packet, whose route has an ESP SA
 * @state: of the hook
 *
 * Return: NF_ACCEPT, or NF_STOLEN after it was cut up
 */
unsigned int esptcp_gso_guard(struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct xfrm_state *x = dst_xfrm(skb_dst(skb));

	/* Else XFRM itself cuts it up, or a device does all of it. */
	if (!skb_is_gso(skb) || !x->type_offload ||
	    (x->encap && !x->xso.dev) || esptcp_compat_packet_offload(x) ||
	    numbered(skb, x))
		return NF_ACCEPT;
	if (esptcp_gso_confirm(skb))
		esptcp_gso_cut(skb, state, 0, go_on, NULL);
	else
		esptcp_drop(state->net, NULL, skb, ESPTCP_A_STATS_TX_DROP_GSO);
	return NF_STOLEN;
}
