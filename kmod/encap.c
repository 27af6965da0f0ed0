// SPDX-License-Identifier: GPL-2.0
/*
 * ESP encapsulation of a large packet: makes a segment, an ESP packet and a
 * frame of each part, in one pass.
 *
 * XFRM would cut a packet up that TCP, GRO or a virtual network card made
 * large, and take each part through the stack, only for TCP to copy them
 * together again. Here they are written one behind the other, to where TCP
 * takes them from. It is an optimisation, and gives what tcp_gso_segment() and
 * esp_output() would give; whatever is out of the ordinary is left to them.
 * Sequence numbers are the SA's own, see sequence.c: XFRM may encrypt packets
 * of the same SA meanwhile.
 *
 * Called by the hook in output.c under RCU, with bottom halves disabled, before
 * XFRM has seen the packet. Asynchronous crypto completes in any softirq. All
 * segments of a packet leave together then, after the last one.
 */
#include <crypto/aead.h>
#include <linux/delay.h>
#include <net/esp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "encap.h"
#include "gso.h"
#include "pages.h"
#include "sequence.h"
#include "tx.h"

/* What Linux's ciphers have at most */
#define MAX_IV		16
#define MAX_BLOCK	16
#define MAX_ALIGN	64

/* Of a segment: an IP and a TCP header, both with options */
#define MAX_HEADERS	120

/**
 * struct encap - a packet, and what becomes of it
 * @pending: segments that are not encrypted yet, and 1 while they are begun
 * @error: what became of a request, 0 or a negative errno
 * @conn: the connection, with a reference
 * @skb: the packet, which begins with its IP header
 * @okfn: what gets the packet if it cannot be encapsulated after all
 * @out: the frames
 *
 * @x: the SA; the packet has a reference
 * @aead: its cipher
 * @seq: sequence number of the first segment
 * @payload: offset of what becomes the ESP payload
 * @proto: what the ESP trailer says of it
 *
 * @headers: octets of headers there that each segment has, 0 if it is not TCP
 * @tcp: offset of the TCP header in them
 * @family: of the IP header in front of that, AF_INET or AF_INET6
 * @mss: octets behind the headers in a segment
 * @data: octets behind the headers of all segments together
 * @segments: how many there will be
 */
struct encap {
	atomic_t pending;
	int error;
	struct esptcp_conn *conn;
	struct sk_buff *skb;
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);
	struct esptcp_pages out;

	struct xfrm_state *x;
	struct crypto_aead *aead;
	u64 seq;
	unsigned int payload;
	u8 proto;

	unsigned int headers;
	unsigned int tcp;
	u16 family;
	unsigned int mss;
	unsigned int data;
	unsigned int segments;
};

/**
 * struct encap_request - the encryption of one segment
 * @encap: the packet
 * @aad: what is authenticated of a header with an extended sequence number
 * @iv: the initialisation vector is somewhere in there, as the cipher aligns it
 * @sg: what is encrypted
 * @aead: the request, with the cipher's memory behind it
 */
struct encap_request {
	struct encap *encap;
	__be32 aad[3];
	u8 iv[MAX_IV + MAX_ALIGN];
	struct scatterlist sg[MAX_SKB_FRAGS + 1];
	struct aead_request aead;
};

/* How many there are is the sum of all CPUs'. */
static DEFINE_PER_CPU(int, encaps);

/*
 * A device that encrypts may write whole cache lines, in which the frames
 * before and behind lie, too. Whether that is no harm here.
 */
static bool may_share_lines(struct crypto_aead *aead)
{
	return !IS_ENABLED(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) ||
	       !(crypto_aead_alg(aead)->base.cra_flags & CRYPTO_ALG_ASYNC);
}

/*
 * Whether packets of the SA are made here: nothing else is done to them, and
 * nobody wants to hear of each number (ip xfrm monitor aevent).
 */
static bool plan_sa(struct encap *e)
{
	const struct dst_entry *dst = skb_dst(e->skb);
	struct xfrm_state *x = dst_xfrm(dst);

	if (dst_xfrm(xfrm_dst_child(dst)) || x->encap || x->xso.dev ||
	    x->tfcpad || xfrm_aevent_is_on(xs_net(x)) ||
	    !may_share_lines(x->data) ||
	    (x->props.mode != XFRM_MODE_TUNNEL &&
	     x->props.mode != XFRM_MODE_TRANSPORT))
		return false;

	e->x = x;
	e->aead = x->data;
	return crypto_aead_ivsize(e->aead) <= MAX_IV &&
	       crypto_aead_blocksize(e->aead) <= MAX_BLOCK &&
	       crypto_aead_alignmask(e->aead) < MAX_ALIGN;
}

/* In transport mode, a fragment is no whole payload. */
static bool plan_transport(struct encap *e, const struct esptcp_headers *h)
{
	e->proto = h->protocol;
	e->payload = h->ip;
	e->tcp = 0;
	if (e->family != e->x->props.family)
		return false;
	return e->family == AF_INET ? !ip_is_fragment(ip_hdr(e->skb)) :
				      h->protocol == IPPROTO_TCP ||
				      h->protocol == IPPROTO_UDP;
}

static bool plan_mode(struct encap *e, const struct esptcp_headers *h)
{
	e->family = h->family;
	if (e->x->props.mode == XFRM_MODE_TRANSPORT)
		return plan_transport(e, h);
	e->proto = e->family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	e->payload = 0;
	e->tcp = h->ip;
	return true;
}

/* Only those that may be fragmented need an identification of their own. */
static bool may_keep_id(const struct encap *e)
{
	return e->family != AF_INET || !e->tcp ||
	       ip_hdr(e->skb)->frag_off & htons(IP_DF);
}

/*
 * Nothing is taken on trust: of packets that come from a guest or a tunnel's
 * process nobody has looked at the TCP header, nor counted the segments.
 */
static bool plan_tcp(struct encap *e)
{
	const struct skb_shared_info *shinfo;
	struct sk_buff *skb = e->skb;
	struct esptcp_headers h;

	e->segments = esptcp_gso_segments(skb, &h);
	shinfo = skb_shinfo(skb);
	if (!e->segments || h.protocol != IPPROTO_TCP || !plan_mode(e, &h))
		return false;
	if (skb->ip_summed != CHECKSUM_PARTIAL ||
	    (shinfo->gso_type & SKB_GSO_TCP_FIXEDID && !may_keep_id(e)))
		return false;

	e->headers = e->tcp + h.transport;
	e->mss = shinfo->gso_size;
	e->data = skb->len - h.ip - h.transport;
	return true;
}

/* Anything, as it is */
static bool plan_whole(struct encap *e)
{
	struct esptcp_headers h;

	if (e->skb->ip_summed == CHECKSUM_PARTIAL ||
	    !esptcp_gso_ip(e->skb, &h) || !plan_mode(e, &h) ||
	    e->skb->len <= e->payload)
		return false;
	e->headers = 0;
	e->data = e->skb->len - e->payload;
	e->mss = e->data;
	e->segments = 1;
	return true;
}

/* Octets of a payload and what is added behind it, as esp_xmit() does. */
static unsigned int padded(const struct encap *e, unsigned int payload)
{
	return ALIGN(payload + 2, ALIGN(crypto_aead_blocksize(e->aead), 4));
}

static unsigned int frame_len(const struct encap *e, unsigned int payload)
{
	return ESPTCP_LEN_SIZE + sizeof(struct ip_esp_hdr) +
	       crypto_aead_ivsize(e->aead) + padded(e, payload) +
	       crypto_aead_authsize(e->aead);
}

/* Octets of payload in a segment */
static unsigned int segment_len(const struct encap *e, unsigned int segment)
{
	return e->headers + min(e->mss, e->data - segment * e->mss);
}

static unsigned int plan_len(const struct encap *e)
{
	unsigned int last = e->segments - 1;

	return last * frame_len(e, segment_len(e, 0)) +
	       frame_len(e, segment_len(e, last));
}

/* Whether XFRM would neither refuse the packet nor fragment it. */
static bool plan_mtu(const struct encap *e)
{
	const struct sk_buff *skb = e->skb;
	unsigned int mtu = dst_mtu(skb_dst(skb));

	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) :
				 skb->len <= mtu;
}

/* Return: whether the packet can be encapsulated here. */
static bool make_plan(struct encap *e)
{
	if (!plan_sa(e) || !plan_mtu(e) ||
	    !(skb_is_gso(e->skb) ? plan_tcp(e) : plan_whole(e)))
		return false;
	/* Somebody may ask for segments with an octet each. */
	return frame_len(e, segment_len(e, 0)) - ESPTCP_LEN_SIZE <=
		       ESPTCP_MAX_MESSAGE &&
	       plan_len(e) <= 2 * e->skb->len;
}

/* As tcp_gso_segment() does */
static void edit_tcp(const struct encap *e, struct tcphdr *th,
		     unsigned int segment)
{
	if (segment)
		th->cwr = 0;
	if (segment + 1 < e->segments) {
		th->fin = 0;
		th->psh = 0;
	}
	th->seq = htonl(ntohl(th->seq) + segment * e->mss);
	th->check = 0;
}

/* As inet_gso_segment() does; return: TCP's checksum */
static __sum16 edit_ipv4(const struct encap *e, struct iphdr *iph,
			 unsigned int segment, unsigned int data, __wsum csum)
{
	const struct iphdr *addr = e->tcp ? iph : ip_hdr(e->skb);

	if (e->tcp) {
		if (!(skb_shinfo(e->skb)->gso_type & SKB_GSO_TCP_FIXEDID))
			iph->id = htons(ntohs(iph->id) + segment);
		iph->tot_len = htons(e->headers + data);
		ip_send_check(iph);
	}
	return tcp_v4_check(e->headers - e->tcp + data, addr->saddr,
			    addr->daddr, csum);
}

/* As ipv6_gso_segment() does; likewise */
static __sum16 edit_ipv6(const struct encap *e, struct ipv6hdr *ip6h,
			 unsigned int data, __wsum csum)
{
	const struct ipv6hdr *addr = e->tcp ? ip6h : ipv6_hdr(e->skb);
	unsigned int len = e->headers - e->tcp + data;

	if (e->tcp)
		ip6h->payload_len = htons(len);
	return tcp_v6_check(len, &addr->saddr, &addr->daddr, csum);
}

/* The headers of a segment, behind which are @data octets with that checksum */
static void make_headers(const struct encap *e, void *headers,
			 unsigned int segment, unsigned int data, __wsum csum)
{
	struct tcphdr *th = headers + e->tcp;

	memcpy(headers, e->skb->data + e->payload, e->headers);
	edit_tcp(e, th, segment);
	csum = csum_partial(th, e->headers - e->tcp, csum);
	th->check = e->family == AF_INET6 ?
		    edit_ipv6(e, headers, data, csum) :
		    edit_ipv4(e, headers, segment, data, csum);
}

/**
 * struct frame_head - what a frame begins with
 * @unused: aligns the rest
 * @len: its length
 * @esp: ESP header
 * @rest: room for the initialisation vector, and headers behind that
 */
struct frame_head {
	__be16 unused;
	__be16 len;
	struct ip_esp_hdr esp;
	u8 rest[MAX_IV + MAX_HEADERS];
};

/* Write a segment's frame, not encrypted yet. */
static void write_frame(struct encap *e, unsigned int segment)
{
	unsigned int ivlen = crypto_aead_ivsize(e->aead);
	unsigned int payload = segment_len(e, segment);
	unsigned int data = payload - e->headers;
	unsigned int pad = padded(e, payload) - payload;
	unsigned int head = ESPTCP_LEN_SIZE + sizeof(struct ip_esp_hdr) +
			    ivlen + e->headers;
	struct esptcp_pages begin = e->out;
	struct frame_head h;
	u8 tail[MAX_BLOCK + 2];
	__wsum csum;

	/* The TCP header has the checksum of what is copied behind it. */
	esptcp_pages_skip(&e->out, head);
	esptcp_pages_copy(&e->out, e->skb,
			  e->payload + e->headers + segment * e->mss, data,
			  e->headers ? &csum : NULL);
	esp_output_fill_trailer(tail, 0, pad, e->proto);
	esptcp_pages_write(&e->out, tail, pad);
	esptcp_pages_skip(&e->out, crypto_aead_authsize(e->aead));

	h.len = htons(frame_len(e, payload));
	h.esp.spi = e->x->id.spi;
	h.esp.seq_no = htonl(e->seq + segment);
	memset(h.rest, 0, ivlen);
	if (e->headers)
		make_headers(e, h.rest + ivlen, segment, data, csum);
	esptcp_pages_write(&begin, &h.len, head);
}

/* The packet is kept so that its socket stays charged until TCP has the frames. */
static void free_packet(struct sk_buff *out)
{
	consume_skb(skb_shinfo(out)->destructor_arg);
}

/* Octets of the IP header that each packet would have had on the wire */
static unsigned int outer_len(const struct encap *e)
{
	if (e->x->props.mode == XFRM_MODE_TRANSPORT)
		return e->payload;
	return e->x->props.family == AF_INET6 ? sizeof(struct ipv6hdr) :
						sizeof(struct iphdr);
}

static void encap_send(struct encap *e)
{
	struct net *net = sock_net(e->conn->sk);
	struct sk_buff *out = e->out.skb;

	/* As many octets as the stack would have handed to the device */
	esptcp_device_sent(net, e->segments, out->len +
			   e->segments * (outer_len(e) - ESPTCP_LEN_SIZE));
	skb_shinfo(out)->gso_segs = e->segments;
	if (e->skb->sk) {
		skb_dst_drop(e->skb);
		nf_reset_ct(e->skb);
		skb_shinfo(out)->destructor_arg = e->skb;
		out->destructor = free_packet;
	} else {
		consume_skb(e->skb);
	}
	esptcp_tx_frames(net, e->conn, out, false);
}

/* After an error the stack does it all again, and counts what fails then. */
static void encap_put(struct encap *e, int n)
{
	if (!atomic_sub_and_test(n, &e->pending))
		return;
	if (READ_ONCE(e->error)) {
		consume_skb(e->out.skb);
		e->okfn(sock_net(e->conn->sk), e->skb->sk, e->skb);
	} else {
		encap_send(e);
	}
	esptcp_conn_put(e->conn);
	kfree(e);
	this_cpu_dec(encaps);
}

static void encrypt_done(esptcp_compat_done *done, int err)
{
	struct encap_request *req = esptcp_compat_done_data(done);
	struct encap *e = req->encap;

	if (err)
		WRITE_ONCE(e->error, err);
	kfree(req);
	rcu_read_lock();
	encap_put(e, 1);
	rcu_read_unlock();
}

static struct encap_request *request_alloc(struct encap *e)
{
	struct encap_request *req;

	req = kmalloc(sizeof(*req) + crypto_aead_reqsize(e->aead),
		      GFP_ATOMIC | __GFP_NOWARN);
	if (!req)
		return NULL;
	req->encap = e;
	aead_request_set_tfm(&req->aead, e->aead);
	aead_request_set_callback(&req->aead, 0, encrypt_done, req);
	return req;
}

/*
 * Encrypt the frame that begins at @offset, with so much payload, as
 * esp_output_tail() does. Return: 0, or a negative errno; with -EINPROGRESS
 * encrypt_done() gets the request.
 */
static int encrypt(struct encap_request *req, u64 seq, unsigned int offset,
		   unsigned int payload)
{
	const struct encap *e = req->encap;
	unsigned int alen = crypto_aead_authsize(e->aead);
	unsigned int ivlen = crypto_aead_ivsize(e->aead);
	unsigned int len = ivlen + padded(e, payload);
	unsigned int ad = sizeof(struct ip_esp_hdr);
	__be64 number = cpu_to_be64(seq);
	unsigned int n = min_t(unsigned int, ivlen, sizeof(number));
	u8 *iv = PTR_ALIGN(&req->iv[0], crypto_aead_alignmask(e->aead) + 1);
	int parts;

	offset += ESPTCP_LEN_SIZE;
	memset(iv, 0, ivlen);
	memcpy(iv + ivlen - n, (u8 *)&number + sizeof(number) - n, n);

	sg_init_table(req->sg, ARRAY_SIZE(req->sg));
	if (e->x->props.flags & XFRM_STATE_ESN) {
		req->aad[0] = e->x->id.spi;
		req->aad[1] = htonl(seq >> 32);
		req->aad[2] = htonl(seq);
		sg_set_buf(&req->sg[0], req->aad, sizeof(req->aad));
		parts = skb_to_sgvec(e->out.skb, &req->sg[1], offset + ad, len + alen);
		ad = sizeof(req->aad);
	} else {
		parts = skb_to_sgvec(e->out.skb, req->sg, offset, ad + len + alen);
	}
	if (parts < 0)
		return parts;

	aead_request_set_crypt(&req->aead, req->sg, req->sg, len, iv);
	aead_request_set_ad(&req->aead, ad);
	return crypto_aead_encrypt(&req->aead);
}

/* Write all frames and encrypt them; the rest may come later. */
static void encap_run(struct encap *e)
{
	struct encap_request *req = NULL;
	unsigned int offset = 0, len, i;
	int pending = 0, err = 0;

	for (i = 0; i < e->segments && (!err || err == -EINPROGRESS); i++) {
		len = segment_len(e, i);
		write_frame(e, i);
		if (!req)
			req = request_alloc(e);
		err = req ? encrypt(req, e->seq + i, offset, len) : -ENOMEM;
		if (err == -EINPROGRESS) {
			pending++;
			req = NULL;
		}
		offset += frame_len(e, len);
	}
	kfree(req);
	if (err && err != -EINPROGRESS)
		WRITE_ONCE(e->error, err);
	encap_put(e, e->segments - pending + 1);
}

/* Take as many sequence numbers as there are segments, and count them. */
static bool take_numbers(struct encap *e)
{
	unsigned int each = e->headers + outer_len(e) +
			    sizeof(struct ip_esp_hdr) +
			    crypto_aead_ivsize(e->aead);

	return esptcp_sequence_take(e->x, e->segments,
				    e->data + e->segments * each, &e->seq);
}

static struct encap *encap_alloc(const struct encap *plan)
{
	struct encap *e;

	e = kmemdup(plan, sizeof(*plan), GFP_ATOMIC | __GFP_NOWARN);
	if (!e)
		return NULL;
	if (!esptcp_pages_alloc(&e->out, plan_len(e)))
		goto err_free;
	if (!skb_dst_force(e->skb) || !refcount_inc_not_zero(&e->conn->refs))
		goto err_pages;
	if (!take_numbers(e))
		goto err_conn;
	atomic_set(&e->pending, e->segments + 1);
	this_cpu_inc(encaps);
	return e;

err_conn:
	esptcp_conn_put(e->conn);
err_pages:
	consume_skb(e->out.skb);
err_free:
	kfree(e);
	return NULL;
}

static int encaps_sum(void)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += per_cpu(encaps, cpu);
	return sum;
}

/**
 * esptcp_encap_exit() - wait until asynchronous crypto has come back
 *
 * There are no bindings any more, so that there will be no new packets.
 */
void esptcp_encap_exit(void)
{
	synchronize_rcu();
	while (encaps_sum())
		msleep(20);
	/* The last one may still return from here. */
	synchronize_rcu();
}

/**
 * esptcp_encap() - encapsulate a packet and send it in a connection
 * @conn: the connection, with the framing rfc9329, under RCU
 * @skb: the packet, on its way into an ESP SA, whose data begins with the IP
 *	header; taken over unless false is returned
 * @okfn: the way into XFRM, for what fails later
 *
 * Bottom halves are disabled.
 *
 * Return: false if it is a packet for XFRM, or there is no memory
 */
bool esptcp_encap(struct esptcp_conn *conn, struct sk_buff *skb,
		  int (*okfn)(struct net *net, struct sock *sk,
			      struct sk_buff *skb))
{
	struct encap plan = { .conn = conn, .skb = skb, .okfn = okfn }, *e;

	if (!skb_frags_readable(skb))
		return false;
	/* On a slow connection IKE goes between packets, and CoDel drops one. */
	if (!esptcp_tx_fast(conn, skb->len) || !make_plan(&plan))
		return false;
	e = encap_alloc(&plan);
	if (!e)
		return false;

	encap_run(e);
	return true;
}
