// SPDX-License-Identifier: GPL-2.0
/*
 * IKE messages that arrive: the memory that they take, and the queue in which
 * they wait for the connection's owner.
 *
 * Whoever can connect can send them, so a message has memory for the octets that
 * have arrived, whatever its length field promises. The memory is charged to
 * TCP's account of the socket (tcp_mem, and the owner's memory cgroup), but not
 * to its receive buffer: an owner who does not read must not close the window
 * to ESP. The charge is returned before the socket is closed.
 *
 * All of it runs under the socket lock.
 */
#include <linux/moduleparam.h>
#include <net/sock.h>

#include "ike_rx.h"
#include "stats.h"

static unsigned int ike_queue_bytes __read_mostly = 512 * 1024;
module_param(ike_queue_bytes, uint, 0644);
MODULE_PARM_DESC(ike_queue_bytes,
		 "Memory for IKE messages that wait for a connection's owner, in octets; more are dropped");

static unsigned int ike_unauth_bytes __read_mostly = 64 * 1024;
module_param(ike_unauth_bytes, uint, 0644);
MODULE_PARM_DESC(ike_unauth_bytes,
		 "The same for a connection to which no SA has been bound yet, in octets; a message may have half of them");

/* A message begins in so much memory, which most fit into, and goes on in pages. */
#define FIRST_MAX	SKB_WITH_OVERHEAD(2048)

/* Without what the kernel keeps for the case that it has no memory left. */
#define IKE_GFP		(GFP_ATOMIC | __GFP_NOWARN | __GFP_NOMEMALLOC)

static bool ike_charge(struct sock *sk, struct sk_buff *skb, unsigned int size)
{
	if (!sk_rmem_schedule(sk, skb, size))
		return false;
	sk_mem_charge(sk, size);
	return true;
}

static struct sk_buff *ike_alloc(struct sock *sk, unsigned int len)
{
	struct sk_buff *skb;

	skb = alloc_skb(min_t(unsigned int, len, FIRST_MAX), IKE_GFP);
	if (!skb || ike_charge(sk, skb, skb->truesize))
		return skb;
	kfree_skb(skb);
	return NULL;
}

static bool ike_add_page(struct sock *sk, struct sk_buff *skb)
{
	struct page *page;

	BUILD_BUG_ON(DIV_ROUND_UP(ESPTCP_MAX_MESSAGE, PAGE_SIZE) > MAX_SKB_FRAGS);
	if (!ike_charge(sk, skb, PAGE_SIZE))
		return false;
	page = alloc_page(IKE_GFP);
	if (!page) {
		sk_mem_uncharge(sk, PAGE_SIZE);
		return false;
	}
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, 0, PAGE_SIZE);
	return true;
}

static unsigned int ike_room(const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	return shinfo->nr_frags ?
	       PAGE_SIZE - skb_frag_size(&shinfo->frags[shinfo->nr_frags - 1]) :
	       skb_tailroom(skb);
}

static void ike_fill(struct sk_buff *skb, const u8 *data, unsigned int n)
{
	int last = skb_shinfo(skb)->nr_frags - 1;
	skb_frag_t *frag;

	if (last < 0) {
		skb_put_data(skb, data, n);
		return;
	}
	frag = &skb_shinfo(skb)->frags[last];
	memcpy(skb_frag_address(frag) + skb_frag_size(frag), data, n);
	skb_frag_size_add(frag, n);
	skb->len += n;
	skb->data_len += n;
}

/* Whether a stranger has to do without so much. */
static bool ike_too_much(u32 waiting, unsigned int len)
{
	unsigned int limit = READ_ONCE(ike_unauth_bytes);

	return waiting + len > limit || len > limit / 2;
}

/* Return: the counter of the reason why a message is not wanted, or 0. */
static int ike_refusal(const struct esptcp_conn *conn, unsigned int len)
{
	u32 waiting = conn->ike_rx_bytes;

	if (test_bit(ESPTCP_F_RD_SHUT, &conn->flags))
		return ESPTCP_A_STATS_RX_DROP_IKE_CLOSED;
	if (waiting + len > READ_ONCE(ike_queue_bytes))
		return ESPTCP_A_STATS_RX_DROP_IKE_FULL;
	if (!test_bit(ESPTCP_F_BOUND, &conn->flags) &&
	    ike_too_much(waiting, len))
		return ESPTCP_A_STATS_RX_DROP_IKE_UNAUTH;
	return 0;
}

/**
 * esptcp_ike_rx_begin() - memory for a message, whose head has arrived
 * @conn: the connection
 *
 * Return: the message so far, for esptcp_ike_rx_queue() or
 *	esptcp_ike_rx_drop(), or NULL if it is not wanted, which has been counted
 */
struct sk_buff *esptcp_ike_rx_begin(struct esptcp_conn *conn)
{
	const struct esptcp_parser *p = &conn->parser;
	unsigned int len = esptcp_parser_message_len(p);
	int stat = ike_refusal(conn, len);
	struct sk_buff *skb = NULL;

	if (!stat) {
		skb = ike_alloc(conn->sk, len);
		if (!skb)
			stat = ESPTCP_A_STATS_RX_DROP_NO_MEMORY;
	}
	if (skb)
		skb_put_data(skb, p->head + ESPTCP_LEN_SIZE,
			     esptcp_parser_message_have(p));
	else
		esptcp_count(sock_net(conn->sk), conn, stat, 1);
	return skb;
}

/**
 * esptcp_ike_rx_append() - add octets that have arrived
 * @conn: the connection
 * @skb: the message
 * @data: the octets
 * @n: how many
 *
 * Return: false if there is no memory for them
 */
bool esptcp_ike_rx_append(struct esptcp_conn *conn, struct sk_buff *skb,
			  const u8 *data, unsigned int n)
{
	unsigned int some;

	for (; n; n -= some, data += some) {
		some = min(n, ike_room(skb));
		if (some)
			ike_fill(skb, data, some);
		else if (!ike_add_page(conn->sk, skb))
			return false;
	}
	return true;
}

/**
 * esptcp_ike_rx_drop() - drop a message that is in no queue
 * @conn: the connection
 * @skb: the message
 * @stat: ESPTCP_A_STATS_RX_DROP_*
 */
void esptcp_ike_rx_drop(struct esptcp_conn *conn, struct sk_buff *skb, int stat)
{
	sk_mem_uncharge(conn->sk, skb->truesize);
	esptcp_drop(sock_net(conn->sk), conn, skb, stat);
}

/**
 * esptcp_ike_rx_queue() - give a message to the owner
 * @conn: the connection
 * @skb: the message, complete
 */
void esptcp_ike_rx_queue(struct esptcp_conn *conn, struct sk_buff *skb)
{
	esptcp_count_packets(sock_net(conn->sk), conn,
			     ESPTCP_A_STATS_RX_IKE_FRAMES, 1, skb->len);
	__skb_queue_tail(&conn->ike_rx, skb);
	WRITE_ONCE(conn->ike_rx_bytes, conn->ike_rx_bytes + skb->truesize);
}

/**
 * esptcp_ike_rx_dequeue() - take the next message
 * @conn: the connection
 *
 * Return: the message, non-ESP marker first, not charged any more, or NULL
 */
struct sk_buff *esptcp_ike_rx_dequeue(struct esptcp_conn *conn)
{
	struct sk_buff *skb = __skb_dequeue(&conn->ike_rx);

	if (skb) {
		WRITE_ONCE(conn->ike_rx_bytes,
			   conn->ike_rx_bytes - skb->truesize);
		sk_mem_uncharge(conn->sk, skb->truesize);
	}
	return skb;
}

/**
 * esptcp_ike_rx_purge() - drop the messages that the owner has not read
 * @conn: the connection, which is being detached
 */
void esptcp_ike_rx_purge(struct esptcp_conn *conn)
{
	struct sk_buff *skb;

	while ((skb = esptcp_ike_rx_dequeue(conn)))
		esptcp_drop(sock_net(conn->sk), conn, skb,
			    ESPTCP_A_STATS_RX_DROP_IKE_CLOSED);
}

/**
 * esptcp_ike_rx_init() - prepare a connection
 * @conn: the connection
 */
void esptcp_ike_rx_init(struct esptcp_conn *conn)
{
	__skb_queue_head_init(&conn->ike_rx);
}
