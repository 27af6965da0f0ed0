// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: cuts TCP's stream into frames, gives IKE to ike_rx.c and ESP to
 * XFRM.
 *
 * Each frame is copied once, into memory of our own. That of an ESP packet is
 * there as soon as its SPI has arrived, as only an SA's peer can cause it, and
 * has room for what XFRM puts in front. Nothing is ever decrypted in pages
 * that TCP or a peer on this host may still look at (CVE-2026-46300 and its
 * like). What has not been read stays in TCP, whose window then slows the
 * sender down.
 *
 * Reading runs under the socket lock, delivering runs without it; both in
 * the worker's softirq.
 */
#include <linux/etherdevice.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "binding.h"
#include "conn.h"
#include "ike_rx.h"
#include "rx.h"
#include "stats.h"

/* Room that every packet has in front. */
#define PAD		(NET_SKB_PAD + NET_IP_ALIGN)

/*
 * Packets up to this size come from NAPI's cache, in memory that GRO can pass
 * on; above, up to the next size they are linear, and in single pages then.
 */
#define NAPI_MAX	(SKB_WITH_OVERHEAD(PAGE_SIZE) - PAD)
#define LINEAR_MAX	(SKB_WITH_OVERHEAD(2 * PAGE_SIZE) - PAD)

/*
 * A larger frame takes as much of a worker's budget as several, so that a turn
 * does not copy and decrypt megabytes.
 */
#define FRAME_OCTETS	2048

/* Room in front of an ESP packet: a link header for GRO, and an IP header. */
#define ESP_HEADROOM	(ETH_HLEN + sizeof(struct ipv6hdr))

/**
 * struct rx_cb - what is known of a received ESP frame, in skb->cb
 * @daddr: destination address of the SA
 * @family: its address family
 */
struct rx_cb {
	xfrm_address_t daddr;
	u16 family;
};

static struct rx_cb *rx_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct rx_cb) > sizeof_field(struct sk_buff, cb));
	return (struct rx_cb *)skb->cb;
}

/**
 * struct rx_pass - one call of rx_read()
 * @conn: the connection
 * @napi: the worker
 * @budget: what may still be done, in frames of less than FRAME_OCTETS
 * @done: what has been done, likewise
 * @esp: ESP frames completed
 * @ike: whether an IKE message was completed
 * @sa: the last ESP frame's binding, or NULL
 */
struct rx_pass {
	struct esptcp_conn *conn;
	struct napi_struct *napi;
	int budget;
	int done;
	struct sk_buff_head *esp;
	bool ike;
	const struct esptcp_binding *sa;
};

static void rx_count(struct esptcp_conn *conn, int stat)
{
	esptcp_count(sock_net(conn->sk), conn, stat, 1);
}

/**
 * esptcp_alloc_skb() - memory for a frame
 * @napi: the worker, in whose softirq this runs
 * @headroom: octets in front of the message
 * @len: octets of the message
 *
 * Return: a packet of that length, not initialised, or NULL
 */
noinline struct sk_buff *esptcp_alloc_skb(struct napi_struct *napi,
					  unsigned int headroom,
					  unsigned int len)
{
	unsigned int size = headroom + len;
	unsigned int linear = min_t(unsigned int, size, LINEAR_MAX);
	struct sk_buff *skb;
	int err;

	if (size <= NAPI_MAX) {
		skb = napi_alloc_skb(napi, size);
	} else {
		skb = alloc_skb_with_frags(PAD + linear, size - linear, 0, &err,
					   GFP_ATOMIC | __GFP_NOWARN);
		if (skb)
			skb_reserve(skb, PAD);
	}
	if (!skb)
		return NULL;

	skb_reserve(skb, headroom);
	skb_put(skb, linear - headroom);
	skb->data_len = size - linear;
	skb->len += skb->data_len;
	return skb;
}

/* Find the SA of a frame: mostly it is that of the frame before. */
static const struct esptcp_binding *rx_find_sa(struct rx_pass *pass, __be32 spi)
{
	const struct esptcp_binding *b = pass->sa;

	if (!b || b->key.spi != spi || rcu_access_pointer(b->conn) != pass->conn)
		pass->sa = esptcp_binding_find_in(pass->conn, spi);
	return pass->sa;
}

static struct sk_buff *rx_begin_esp(struct rx_pass *pass)
{
	struct esptcp_conn *conn = pass->conn;
	const struct esptcp_parser *p = &conn->parser;
	const struct esptcp_binding *b;
	struct sk_buff *skb;
	__be32 spi;

	memcpy(&spi, p->head + ESPTCP_LEN_SIZE, sizeof(spi));
	b = rx_find_sa(pass, spi);
	if (!b) {
		rx_count(conn, ESPTCP_A_STATS_RX_DROP_UNBOUND);
		return NULL;
	}
	skb = esptcp_alloc_skb(pass->napi, ESP_HEADROOM,
			       esptcp_parser_message_len(p));
	if (!skb) {
		rx_count(conn, ESPTCP_A_STATS_RX_DROP_NO_MEMORY);
		return NULL;
	}
	skb_store_bits(skb, 0, p->head + ESPTCP_LEN_SIZE,
		       esptcp_parser_message_have(p));
	if (esptcp_framing(conn) == ESPTCP_FRAMING_FORTINET)
		rx_count(conn, ESPTCP_A_STATS_RX_STREAM_ESP);
	rx_cb(skb)->daddr = b->daddr;
	rx_cb(skb)->family = b->family;
	return skb;
}

/* A frame with a message of @len octets is complete. */
static void rx_charge(struct rx_pass *pass, unsigned int len)
{
	int cost = 1 + len / FRAME_OCTETS;

	pass->budget -= cost;
	pass->done += cost;
}

static void rx_complete(struct rx_pass *pass, unsigned int len)
{
	struct esptcp_conn *conn = pass->conn;
	struct sk_buff *skb = conn->frame;

	rx_charge(pass, len);
	conn->frame = NULL;
	if (!skb)
		return;
	if (conn->frame_verdict == ESPTCP_IKE) {
		esptcp_ike_rx_queue(conn, skb);
		pass->ike = true;
	} else {
		__skb_queue_tail(pass->esp, skb);
	}
}

static void rx_store(struct esptcp_conn *conn, const u8 *data, unsigned int n)
{
	const struct esptcp_parser *p = &conn->parser;
	struct sk_buff *skb = conn->frame;

	if (conn->frame_verdict != ESPTCP_IKE) {
		skb_store_bits(skb, esptcp_parser_message_len(p) - p->left,
			       data, n);
	} else if (!esptcp_ike_rx_append(conn, skb, data, n)) {
		conn->frame = NULL;
		esptcp_ike_rx_drop(conn, skb, ESPTCP_A_STATS_RX_DROP_NO_MEMORY);
	}
}

static void rx_body(struct rx_pass *pass, const u8 *data, unsigned int n)
{
	struct esptcp_conn *conn = pass->conn;
	struct esptcp_parser *p = &conn->parser;
	unsigned int len = esptcp_parser_message_len(p);

	if (conn->frame && n)
		rx_store(conn, data, n);
	if (esptcp_parser_body(p, n))
		rx_complete(pass, len);
}

/* Consume a head, or a part of it, out of @len octets; return: how many. */
static unsigned int rx_head(struct rx_pass *pass, const u8 *data,
			    unsigned int len)
{
	struct esptcp_conn *conn = pass->conn;
	unsigned int n;

	conn->frame_verdict = esptcp_parser_head(&conn->parser, data, len, &n);
	switch (conn->frame_verdict) {
	case ESPTCP_MORE:
		return n;
	case ESPTCP_EMPTY:
		rx_count(conn, ESPTCP_A_STATS_RX_EMPTY);
		rx_charge(pass, 0);
		return n;
	case ESPTCP_KEEPALIVE:
		rx_count(conn, ESPTCP_A_STATS_RX_KEEPALIVE);
		rx_charge(pass, 0);
		return n;
	case ESPTCP_BAD_LENGTH:
		/* Nothing of the stream is parsed any more. */
		esptcp_conn_bad_length(conn);
		pass->budget = 0;
		return n;
	case ESPTCP_RUNT:
		rx_count(conn, ESPTCP_A_STATS_RX_DROP_RUNT);
		conn->frame = NULL;
		break;
	case ESPTCP_IKE:
		conn->frame = esptcp_ike_rx_begin(conn);
		break;
	case ESPTCP_ESP:
		conn->frame = rx_begin_esp(pass);
		break;
	}
	if (!conn->parser.left)
		rx_body(pass, NULL, 0);
	return n;
}

/* Consume octets of the stream while the budget lasts; return: how many. */
static unsigned int rx_octets(struct rx_pass *pass, const u8 *data,
			      unsigned int len)
{
	struct esptcp_parser *p = &pass->conn->parser;
	unsigned int left = len;
	unsigned int n;

	while (left && pass->budget > 0) {
		if (p->body) {
			n = min_t(unsigned int, p->left, left);
			rx_body(pass, data, n);
		} else {
			n = rx_head(pass, data, left);
		}
		data += n;
		left -= n;
	}
	return len - left;
}

/*
 * Whether skb_seq_read() can read a packet. It knows lists of fragments, but
 * none within them, which a tunnel makes of fragments in fragments.
 */
static bool rx_is_flat(const struct sk_buff *in)
{
	const struct sk_buff *part;

	skb_walk_frags(in, part)
		if (skb_has_frag_list(part))
			return false;
	return true;
}

/* Consume what is in such a packet, by way of some octets on the stack. */
static size_t rx_nested(struct rx_pass *pass, const struct sk_buff *in,
			unsigned int off, size_t len)
{
	size_t done = 0;
	u8 octets[256];
	unsigned int n;

	while (done < len && pass->budget > 0) {
		n = min(len - done, sizeof(octets));
		if (skb_copy_bits(in, off + done, octets, n))
			break;
		done += rx_octets(pass, octets, n);
	}
	return done;
}

static size_t rx_flat(struct rx_pass *pass, struct sk_buff *in,
		      unsigned int off, size_t len)
{
	struct skb_seq_state state;
	size_t done = 0;
	unsigned int n;
	const u8 *data;

	skb_prepare_seq_read(in, off, off + len, &state);
	while (pass->budget > 0) {
		n = skb_seq_read(done, &data, &state);
		if (!n)
			break;
		done += rx_octets(pass, data, min_t(size_t, n, len - done));
	}
	skb_abort_seq_read(&state);
	return done;
}

/* For tcp_read_sock(): consume up to @len octets at @off of @in. */
static int rx_actor(read_descriptor_t *desc, struct sk_buff *in,
		    unsigned int off, size_t len)
{
	struct rx_pass *pass = desc->arg.data;
	size_t done;

	done = likely(rx_is_flat(in)) ? rx_flat(pass, in, off, len) :
					rx_nested(pass, in, off, len);
	if (pass->budget <= 0)
		desc->count = 0;
	return done;
}

/*
 * Parse what TCP has received, under the socket lock. ESP frames go to @esp.
 * Return: what was done of the budget.
 */
static int rx_read(struct esptcp_conn *conn, struct napi_struct *napi,
		   int budget, struct sk_buff_head *esp)
{
	struct rx_pass pass = {
		.conn = conn, .napi = napi, .budget = budget, .esp = esp,
	};
	read_descriptor_t desc = { .count = 1, .arg.data = &pass };
	struct sock *sk = conn->sk;

	if (conn->state == ESPTCP_STATE_DOWN ||
	    test_bit(ESPTCP_F_BAD_LENGTH, &conn->flags))
		return 0;

	/*
	 * tcp_read_sock() stops for ever at urgent data. To us it is part of
	 * the stream, as it is with SO_OOBINLINE.
	 */
	if (unlikely(tcp_sk(sk)->urg_data))
		WRITE_ONCE(tcp_sk(sk)->urg_data, 0);

	rcu_read_lock();
	tcp_read_sock(sk, &desc, rx_actor);
	rcu_read_unlock();
	if (pass.ike)
		conn->saved.data_ready(sk);
	return pass.done;
}

/*
 * Put the headers in front of an ESP packet that it would have had on the
 * wire. TOS is 0, so that decapsulation copies no congestion mark: TCP has
 * dealt with congestion already. All packets get the same link header, as
 * GRO merges only what has the same. Nobody verifies IPv4's checksum: XFRM
 * takes the header off, or makes it anew.
 */
static void rx_push_headers(const struct esptcp_conn *conn, struct sk_buff *skb)
{
	struct rx_cb cb = *rx_cb(skb);

	memset(skb->cb, 0, sizeof(skb->cb));
	skb_reset_transport_header(skb);
	if (cb.family == AF_INET6) {
		struct ipv6hdr *ip6h = skb_push(skb, sizeof(*ip6h));

		memset(ip6h, 0, sizeof(*ip6h));
		ip6h->version = 6;
		ip6h->payload_len = htons(skb->len - sizeof(*ip6h));
		ip6h->nexthdr = IPPROTO_ESP;
		ip6h->hop_limit = 64;
		ip6h->saddr = conn->remote.in6;
		ip6h->daddr = cb.daddr.in6;
		IP6CB(skb)->nhoff = offsetof(struct ipv6hdr, nexthdr);
		IP6CB(skb)->iif = skb->dev->ifindex;
		skb->protocol = htons(ETH_P_IPV6);
	} else {
		struct iphdr *iph = skb_push(skb, sizeof(*iph));

		memset(iph, 0, sizeof(*iph));
		iph->version = 4;
		iph->ihl = sizeof(*iph) / 4;
		iph->tot_len = htons(skb->len);
		iph->ttl = 64;
		iph->protocol = IPPROTO_ESP;
		iph->saddr = conn->remote.a4;
		iph->daddr = cb.daddr.a4;
		IPCB(skb)->iif = skb->dev->ifindex;
		skb->protocol = htons(ETH_P_IP);
	}
	skb_reset_network_header(skb);
	if (skb->dev->hard_header_len == ETH_HLEN) {
		struct ethhdr *eth = skb_push(skb, sizeof(*eth));

		memset(eth, 0, sizeof(*eth));
		eth->h_proto = skb->protocol;
		skb_reset_mac_header(skb);
		__skb_pull(skb, sizeof(*eth));
	} else {
		skb_reset_mac_header(skb);
	}
	skb_reset_mac_len(skb);
	__skb_pull(skb, skb_transport_offset(skb));
}

/*
 * The device that the stream's packets come in by, so that firewall rules see
 * the decrypted packets where they would see those of plain ESP. A socket
 * that has not learned it yet takes the one by which it sends.
 */
static struct net_device *rx_device(const struct sock *sk)
{
	int ifindex = READ_ONCE(sk->sk_rx_dst_ifindex);
	struct dst_entry *dst;

	if (ifindex)
		return dev_get_by_index_rcu(sock_net(sk), ifindex);
	dst = rcu_dereference(sk->sk_dst_cache);
	return dst ? dst->dev : NULL;
}

/**
 * esptcp_rx_route() - the route by which a connection's packets come in
 * @conn: the connection, under RCU
 *
 * It spares XFRM a route lookup for each packet.
 *
 * Return: the route, without a reference, or NULL if the socket knows none
 */
struct dst_entry *esptcp_rx_route(const struct esptcp_conn *conn)
{
	struct dst_entry *dst = rcu_dereference(conn->sk->sk_rx_dst);

	return dst && dst_check(dst, conn->sk->sk_rx_dst_cookie) ? dst : NULL;
}

/**
 * esptcp_rx_xfrm() - hand an ESP packet to XFRM
 * @skb: the packet, which begins with the ESP header, and has the headers in
 *	front, but neither a route nor a socket; taken over
 * @family: of its IP header, AF_INET or AF_INET6
 * @dst: what esptcp_rx_route() says; the caller is still under RCU
 *
 * Bottom halves are disabled.
 */
void esptcp_rx_xfrm(struct sk_buff *skb, u16 family, struct dst_entry *dst)
{
	if (dst)
		skb_dst_set_noref(skb, dst);
	if (family == AF_INET6)
		xfrm6_rcv_encap(skb, IPPROTO_ESP, 0, 0);
	else
		xfrm4_rcv_encap(skb, IPPROTO_ESP, 0, 0);
}

static void rx_deliver_one(struct esptcp_conn *conn, struct sk_buff *skb,
			   struct net_device *dev, struct dst_entry *dst)
{
	u16 family = rx_cb(skb)->family;

	skb->dev = dev;
	skb->skb_iif = dev->ifindex;
	rx_push_headers(conn, skb);
	esptcp_rx_xfrm(skb, family, dst);
}

/* Hand ESP frames to XFRM, not under the socket lock: it may send an answer. */
static void rx_deliver(struct esptcp_conn *conn, struct sk_buff_head *esp)
{
	struct net *net = sock_net(conn->sk);
	u64 frames = 0, bytes = 0;
	struct net_device *dev;
	struct dst_entry *dst;
	struct sk_buff *skb;

	if (skb_queue_empty(esp))
		return;

	rcu_read_lock();
	dst = esptcp_rx_route(conn);
	dev = rx_device(conn->sk);
	if (!dev)
		esptcp_drop_queue(net, conn, esp,
				  ESPTCP_A_STATS_RX_DROP_NO_DEVICE);
	while ((skb = __skb_dequeue(esp))) {
		frames++;
		bytes += skb->len;
		rx_deliver_one(conn, skb, dev, dst);
	}
	rcu_read_unlock();
	esptcp_count_packets(net, conn, ESPTCP_A_STATS_RX_ESP_FRAMES, frames,
			     bytes);
}

/* What a worker does; a process that holds the socket lock calls it again. */
static bool rx_run(struct esptcp_conn *conn, struct napi_struct *napi,
		   int budget, int *done)
{
	struct sock *sk = conn->sk;
	struct sk_buff_head esp;
	int n = 0;

	__skb_queue_head_init(&esp);
	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		set_bit(ESPTCP_F_RX_DEFERRED, &conn->flags);
	} else if (!test_bit(ESPTCP_F_DETACHED, &conn->flags)) {
		n = rx_read(conn, napi, budget, &esp);
		if (n < budget)
			esptcp_conn_check_end(conn);
	}
	bh_unlock_sock(sk);

	rx_deliver(conn, &esp);
	*done += n;
	return n >= budget;
}

/**
 * esptcp_rx_init() - prepare a connection for receiving
 * @conn: the connection
 */
void esptcp_rx_init(struct esptcp_conn *conn)
{
	esptcp_ike_rx_init(conn);
	conn->rx_work.conn = conn;
	conn->rx_work.run = rx_run;
}

/**
 * esptcp_rx_end() - discard what has been received of an incomplete frame
 * @conn: the connection, which goes down; the caller holds the socket lock
 *
 * RFC 9329 section 6.1: a partially received message MUST be discarded.
 */
void esptcp_rx_end(struct esptcp_conn *conn)
{
	struct sk_buff *skb = conn->frame;

	if (test_bit(ESPTCP_F_BAD_LENGTH, &conn->flags) ||
	    !esptcp_parser_midframe(&conn->parser))
		return;
	conn->frame = NULL;
	if (!skb)
		rx_count(conn, ESPTCP_A_STATS_RX_DROP_PARTIAL);
	else if (conn->frame_verdict == ESPTCP_IKE)
		esptcp_ike_rx_drop(conn, skb, ESPTCP_A_STATS_RX_DROP_PARTIAL);
	else
		esptcp_drop(sock_net(conn->sk), conn, skb,
			    ESPTCP_A_STATS_RX_DROP_PARTIAL);
}
