// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: frames ESP and IKE and writes them into TCP, many with one call.
 *
 * ESP waits in tx_queue, which takes packets in any context: a frame each, or
 * those that encap.c made of one packet, in pages which TCP takes by reference.
 * The flusher moves them from there, and IKE from tx_ike, into tx_batch and
 * writes that. IKE goes first, behind what TCP has in part. ESP moves only
 * while TCP has little unsent data: what waits should wait in tx_queue, where
 * CoDel sees for how long, and drops to keep it short. tx_queue is bounded in
 * memory.
 */
#include <linux/bvec.h>
#include <linux/moduleparam.h>
#include <net/codel.h>
#include <net/codel_impl.h>
#include <net/tcp.h>

#include "conn.h"
#include "stats.h"
#include "tx.h"
#include "worker.h"

static unsigned int tx_queue_bytes __read_mostly = 2 * 1024 * 1024;
module_param(tx_queue_bytes, uint, 0644);
MODULE_PARM_DESC(tx_queue_bytes,
		 "Memory for ESP that waits for a connection's TCP, in octets; more is dropped");

static unsigned int tx_target_ms __read_mostly = 20;
module_param(tx_target_ms, uint, 0644);
MODULE_PARM_DESC(tx_target_ms,
		 "How long ESP may wait persistently, in milliseconds, before CoDel drops");

static unsigned int tx_unsent_max __read_mostly = 256 * 1024;
module_param(tx_unsent_max, uint, 0644);
MODULE_PARM_DESC(tx_unsent_max,
		 "Data given to TCP that it has not sent yet, in octets, at most");

/* An ACK always finds some segments to send; on a slow link little waits. */
#define UNSENT_MIN	(16 * 1024)
/* About 8 ms of what TCP paces, while it sends bursts of about 1 ms. */
#define UNSENT_SHIFT	7

/* Frames, and pieces of memory, in one call of tcp_sendmsg_locked(). */
#define BATCH_FRAMES	64
#define BATCH_PIECES	256
/* Calls in one flush, before other connections get their turn. */
#define FLUSH_CALLS	4

/* Two of the largest IKE messages. */
#define IKE_BYTES_MAX	(128 * 1024)

/**
 * struct tx_pieces - what one call of tcp_sendmsg_locked() copies
 * @lock: guards @v; inside the socket lock. Not contended but on PREEMPT_RT,
 *	where disabling bottom halves does not keep others from this CPU.
 * @v: the pieces
 */
struct tx_pieces {
	spinlock_t lock; /* see above */
	struct bio_vec v[BATCH_PIECES];
};

static struct tx_pieces __percpu *tx_pieces;

/**
 * struct tx_cb - what is known of a frame that waits, in skb->cb
 * @since: when it was queued, in CoDel's units
 * @ike: IKE rather than ESP
 * @pages: they are in pages that nobody else has: TCP may take those themselves
 */
struct tx_cb {
	codel_time_t since;
	bool ike;
	bool pages;
};

static struct tx_cb *tx_cb(const struct sk_buff *skb)
{
	return (struct tx_cb *)skb->cb;
}

/**
 * esptcp_tx_module_init() - set the sending side up
 *
 * Return: 0 or -ENOMEM
 */
int esptcp_tx_module_init(void)
{
	int cpu;

	tx_pieces = alloc_percpu(struct tx_pieces);
	if (!tx_pieces)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(tx_pieces, cpu)->lock);
	return 0;
}

/**
 * esptcp_tx_module_exit() - undo esptcp_tx_module_init()
 */
void esptcp_tx_module_exit(void)
{
	free_percpu(tx_pieces);
}

/* Return: 0, or the reason why the packet cannot become a frame. */
static int tx_frame(struct sk_buff *skb)
{
	__be16 len;

	if (skb->len > ESPTCP_MAX_MESSAGE)
		return ESPTCP_A_STATS_TX_DROP_TOO_BIG;
	/* Captures on the device share the data: never write into it. */
	if (skb_cow_head(skb, ESPTCP_LEN_SIZE) ||
	    (skb_has_frag_list(skb) && skb_linearize(skb)))
		return ESPTCP_A_STATS_TX_DROP_NO_MEMORY;

	len = htons(skb->len + ESPTCP_LEN_SIZE);
	memcpy(__skb_push(skb, ESPTCP_LEN_SIZE), &len, sizeof(len));
	return 0;
}

/* How much unsent data TCP may have, so that its pacing never runs dry. */
static u32 tx_unsent_limit(const struct sock *sk)
{
	unsigned long paced = READ_ONCE(sk->sk_pacing_rate) >> UNSENT_SHIFT;
	u32 max = max_t(u32, READ_ONCE(tx_unsent_max), UNSENT_MIN);

	return clamp_t(unsigned long, paced, UNSENT_MIN, max);
}

/**
 * esptcp_tx_fast() - whether so much at once is little for a connection
 * @conn: the connection, under RCU
 * @len: octets
 *
 * Return: true if TCP may have as much that it has not sent
 */
bool esptcp_tx_fast(const struct esptcp_conn *conn, unsigned int len)
{
	return len <= tx_unsent_limit(conn->sk);
}

/**
 * esptcp_tx_frames() - send frames with ESP packets in a connection
 * @net: the namespace, for the counters
 * @conn: the connection, under RCU
 * @skb: one frame, or gso_segs of them; taken over. Its socket stays charged
 *	until TCP has the data, so that a local sender feels it when the
 *	connection is slow.
 * @more: what was made together with it follows at once
 *
 * Bottom halves are disabled.
 */
void esptcp_tx_frames(struct net *net, struct esptcp_conn *conn,
		      struct sk_buff *skb, bool more)
{
	const struct sk_buff *last;
	int reason = 0;

	tx_cb(skb)->ike = false;
	tx_cb(skb)->pages = !skb_headlen(skb);
	spin_lock(&conn->tx_queue.lock);
	last = skb_peek_tail(&conn->tx_queue);
	/* The segments of a packet come together: one look at the clock. */
	tx_cb(skb)->since = last && conn->tx_more ? tx_cb(last)->since :
						    codel_get_time();
	conn->tx_more = more;
	if (!conn->tx_open)
		reason = ESPTCP_A_STATS_TX_DROP_NO_CONN;
	else if (conn->tx_backlog &&
		 conn->tx_backlog + skb->truesize > READ_ONCE(tx_queue_bytes))
		reason = ESPTCP_A_STATS_TX_DROP_QUEUE_FULL;
	if (!reason) {
		__skb_queue_tail(&conn->tx_queue, skb);
		conn->tx_backlog += skb->truesize;
	}
	spin_unlock(&conn->tx_queue.lock);
	if (reason)
		esptcp_drop(net, conn, skb, reason);
	else
		esptcp_worker_kick(&conn->tx_work);
}

/**
 * esptcp_tx_esp() - send an ESP packet in a connection
 * @net: the namespace, for the counters
 * @conn: the connection, under RCU
 * @skb: the packet, which begins with the ESP header; taken over
 *
 * Bottom halves are disabled.
 */
void esptcp_tx_esp(struct net *net, struct esptcp_conn *conn,
		   struct sk_buff *skb)
{
	int reason = tx_frame(skb);

	if (reason)
		esptcp_drop(net, conn, skb, reason);
	else
		esptcp_tx_frames(net, conn, skb, netdev_xmit_more());
}

/**
 * esptcp_tx_ike_room() - whether an IKE message can be queued
 * @conn: the connection; the caller holds the socket lock, or only polls
 * @len: octets of the message
 *
 * Return: true if it can, which is always so when none waits
 */
bool esptcp_tx_ike_room(const struct esptcp_conn *conn, unsigned int len)
{
	u32 queued = READ_ONCE(conn->tx_ike_bytes);

	return !queued || queued + len <= IKE_BYTES_MAX;
}

/**
 * esptcp_tx_ike() - queue an IKE message; esptcp_tx_flush() is to follow
 * @conn: the connection; the caller holds the socket lock
 * @skb: the message, which begins with the non-ESP marker, of at most
 *	ESPTCP_MAX_MESSAGE octets and with ESPTCP_LEN_SIZE of headroom;
 *	taken over
 */
void esptcp_tx_ike(struct esptcp_conn *conn, struct sk_buff *skb)
{
	__be16 len = htons(skb->len + ESPTCP_LEN_SIZE);

	memcpy(__skb_push(skb, ESPTCP_LEN_SIZE), &len, sizeof(len));
	tx_cb(skb)->ike = true;
	tx_cb(skb)->pages = false;
	WRITE_ONCE(conn->tx_ike_bytes, conn->tx_ike_bytes + skb->len);
	__skb_queue_tail(&conn->tx_ike, skb);
}

static u32 codel_len(const struct sk_buff *skb)
{
	return skb->truesize;
}

static codel_time_t codel_time(const struct sk_buff *skb)
{
	return tx_cb(skb)->since;
}

/**
 * struct tx_take - one turn of taking ESP out of tx_queue
 * @conn: the connection
 * @dropped: what CoDel dropped, to be freed after the lock
 */
struct tx_take {
	struct esptcp_conn *conn;
	struct sk_buff_head dropped;
};

static void codel_drop(struct sk_buff *skb, void *ctx)
{
	struct tx_take *take = ctx;

	__skb_queue_tail(&take->dropped, skb);
}

static struct sk_buff *codel_take(struct codel_vars *vars, void *ctx)
{
	struct tx_take *take = ctx;
	struct sk_buff *skb = __skb_dequeue(&take->conn->tx_queue);

	if (skb)
		take->conn->tx_backlog -= skb->truesize;
	return skb;
}

/* Does what codel_dequeue() does, with fewer looks at the clock. */
static struct sk_buff *tx_dequeue(struct tx_take *take,
				  struct codel_params *params, codel_time_t now)
{
	struct esptcp_conn *conn = take->conn;
	struct codel_vars *vars = &conn->tx_codel;
	const struct sk_buff *first = skb_peek(&conn->tx_queue);

	if (first && codel_time_before(now - codel_time(first), params->target)) {
		vars->first_above_time = 0;
		vars->dropping = false;
		return codel_take(vars, take);
	}
	return codel_dequeue(take, &conn->tx_backlog, params, vars,
			     &conn->tx_codel_stats, codel_len, codel_time,
			     codel_drop, codel_take);
}

/* Move ESP into the batch, as much as TCP should have. */
static void tx_take_esp(struct esptcp_conn *conn)
{
	const struct tcp_sock *tp = tcp_sk(conn->sk);
	u32 unsent = READ_ONCE(tp->write_seq) - tp->snd_nxt;
	u32 limit = tx_unsent_limit(conn->sk);
	codel_time_t now = codel_get_time();
	struct codel_params params;
	struct tx_take take = { .conn = conn };
	struct sk_buff *skb;

	codel_params_init(&params);
	params.target = MS2TIME((u64)max(READ_ONCE(tx_target_ms), 1U));
	/* A single packet is no queue. */
	params.mtu = SKB_TRUESIZE(tcp_sk(conn->sk)->mss_cache);
	__skb_queue_head_init(&take.dropped);

	spin_lock(&conn->tx_queue.lock);
	while (unsent < limit && skb_queue_len(&conn->tx_batch) < BATCH_FRAMES) {
		skb = tx_dequeue(&take, &params, now);
		if (!skb)
			break;
		unsent += skb->len;
		__skb_queue_tail(&conn->tx_batch, skb);
	}
	spin_unlock(&conn->tx_queue.lock);

	esptcp_drop_queue(sock_net(conn->sk), conn, &take.dropped,
			  ESPTCP_A_STATS_TX_DROP_QUEUE_DELAY);
}

/*
 * Put IKE in front of the batch: behind what TCP has in part, and
 * behind IKE that is there already.
 */
static void tx_take_ike(struct esptcp_conn *conn)
{
	struct sk_buff *skb, *last = NULL;

	skb_queue_walk(&conn->tx_batch, skb) {
		if (!tx_cb(skb)->ike && (last || !conn->tx_offset))
			break;
		last = skb;
	}
	while ((skb = __skb_dequeue(&conn->tx_ike))) {
		if (last)
			__skb_queue_after(&conn->tx_batch, last, skb);
		else
			__skb_queue_head(&conn->tx_batch, skb);
		last = skb;
	}
}

/* ESP that TCP has not taken yet comes first: what is queued, CoDel can drop. */
static void tx_fill_batch(struct esptcp_conn *conn)
{
	bool empty = skb_queue_empty(&conn->tx_batch);

	tx_take_ike(conn);
	if (empty)
		tx_take_esp(conn);
}

static void piece_set(struct bio_vec *v, struct page *page, unsigned int offset,
		      unsigned int len)
{
	v->bv_page = page;
	v->bv_offset = offset;
	v->bv_len = len;
}

/* Describe a frame from @skip octets on; return: pieces, 0 if too many. */
static unsigned int frame_pieces(const struct sk_buff *skb, u32 skip,
				 struct bio_vec *v, unsigned int room)
{
	unsigned int n = 0, i;

	if (room < skb_shinfo(skb)->nr_frags + 1)
		return 0;

	if (skip < skb_headlen(skb)) {
		void *data = skb->data + skip;

		piece_set(&v[n++], virt_to_page(data), offset_in_page(data),
			  skb_headlen(skb) - skip);
		skip = 0;
	} else {
		skip -= skb_headlen(skb);
	}
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		u32 len = skb_frag_size(frag);

		if (skip < len)
			piece_set(&v[n++], skb_frag_page(frag),
				  skb_frag_off(frag) + skip, len - skip);
		skip -= min(skip, len);
	}
	return n;
}

/*
 * Describe the batch, up to where TCP is to take pages instead of copying, or
 * the reverse; return: octets. @more is set if it is not all.
 */
static size_t batch_pieces(const struct esptcp_conn *conn, struct bio_vec *v,
			   unsigned int *count, bool *more)
{
	bool pages = tx_cb(skb_peek(&conn->tx_batch))->pages;
	u32 skip = conn->tx_offset;
	const struct sk_buff *skb;
	size_t bytes = 0;
	unsigned int n;

	*count = 0;
	*more = true;
	skb_queue_walk(&conn->tx_batch, skb) {
		if (tx_cb(skb)->pages != pages)
			return bytes;
		n = frame_pieces(skb, skip, v + *count, BATCH_PIECES - *count);
		if (!n)
			return bytes;
		*count += n;
		bytes += skb->len - skip;
		skip = 0;
	}
	*more = false;
	return bytes;
}

/* TCP has taken @n octets of the batch. */
static void batch_consume(struct esptcp_conn *conn, size_t n)
{
	u64 esp_frames = 0, esp_bytes = 0, ike_frames = 0, ike_bytes = 0;
	struct net *net = sock_net(conn->sk);
	struct sk_buff *skb;
	unsigned int frames;

	n += conn->tx_offset;
	while ((skb = skb_peek(&conn->tx_batch)) && n >= skb->len) {
		n -= skb->len;
		__skb_unlink(skb, &conn->tx_batch);
		if (tx_cb(skb)->ike) {
			WRITE_ONCE(conn->tx_ike_bytes,
				   conn->tx_ike_bytes - skb->len);
			ike_frames++;
			ike_bytes += skb->len - ESPTCP_LEN_SIZE;
		} else {
			frames = esptcp_packets(skb);
			esp_frames += frames;
			esp_bytes += skb->len - frames * ESPTCP_LEN_SIZE;
		}
		consume_skb(skb);
	}
	conn->tx_offset = n;

	if (esp_frames)
		esptcp_count_packets(net, conn, ESPTCP_A_STATS_TX_ESP_FRAMES,
				     esp_frames, esp_bytes);
	if (ike_frames) {
		esptcp_count_packets(net, conn, ESPTCP_A_STATS_TX_IKE_FRAMES,
				     ike_frames, ike_bytes);
		/* Writers wait for room in our queue, not in TCP's. */
		conn->saved.write_space(conn->sk);
	}
}

/* Write what the batch begins with; return: whether TCP took all of that. */
static bool batch_send(struct esptcp_conn *conn)
{
	bool pages = tx_cb(skb_peek(&conn->tx_batch))->pages;
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct tx_pieces *p = this_cpu_ptr(tx_pieces);
	unsigned int pieces;
	size_t bytes;
	bool more;
	int sent;

	spin_lock(&p->lock);
	bytes = batch_pieces(conn, p->v, &pieces, &more);
	if (more || READ_ONCE(conn->tx_backlog))
		msg.msg_flags |= MSG_MORE;
	if (pages) {
		sent = esptcp_compat_send_pages(conn->sk, &msg, p->v, pieces,
						bytes);
	} else {
		iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, p->v, pieces, bytes);
		sent = tcp_sendmsg_locked(conn->sk, &msg, bytes);
	}
	spin_unlock(&p->lock);

	if (sent > 0)
		batch_consume(conn, sent);
	return sent == bytes;
}

/* Pass shutdown(SHUT_WR) on, when everything before it has been sent. */
static void tx_shutdown(struct esptcp_conn *conn)
{
	struct sock *sk = conn->sk;

	if (!test_bit(ESPTCP_F_WR_SHUT, &conn->flags))
		return;
	sk->sk_shutdown |= SEND_SHUTDOWN;
	conn->base->shutdown(sk, SEND_SHUTDOWN);
}

/* TCP must not be asked in vain: its answer would use up the socket's error. */
static bool tx_possible(const struct esptcp_conn *conn)
{
	const struct sock *sk = conn->sk;

	return conn->state != ESPTCP_STATE_DOWN && !sk->sk_err &&
	       (1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) &&
	       !(sk->sk_shutdown & SEND_SHUTDOWN);
}

/**
 * esptcp_tx_flush() - write what waits into TCP
 * @conn: the connection; the caller holds the socket lock, and bottom halves
 *	are disabled
 *
 * What TCP does not take stays; sk_write_space calls the worker again.
 *
 * Return: whether there is more that TCP could take at once
 */
bool esptcp_tx_flush(struct esptcp_conn *conn)
{
	struct sock *sk = conn->sk;
	int calls;

	if (!tx_possible(conn))
		return false;

	for (calls = 0; calls < FLUSH_CALLS; calls++) {
		tx_fill_batch(conn);
		if (skb_queue_empty(&conn->tx_batch)) {
			if (!READ_ONCE(conn->tx_backlog)) {
				tx_shutdown(conn);
				return false;
			}
			break;
		}
		if (!batch_send(conn))
			break;
	}
	if (calls == FLUSH_CALLS)
		return true;
	/* Ask for sk_write_space; TCP looks at the bit for each ACK. */
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	return false;
}

/**
 * esptcp_tx_flush_bh() - esptcp_tx_flush() for process context
 * @conn: the connection; the caller does not hold the socket lock
 *
 * The lock is taken as softirqs take it: under lock_sock() TCP would work
 * its backlog off in between and might sleep.
 */
void esptcp_tx_flush_bh(struct esptcp_conn *conn)
{
	struct sock *sk = conn->sk;

	local_bh_disable();
	bh_lock_sock(sk);
	if (sock_owned_by_user(sk))
		set_bit(ESPTCP_F_TX_DEFERRED, &conn->flags);
	else if (esptcp_tx_flush(conn))
		esptcp_worker_kick(&conn->tx_work);
	bh_unlock_sock(sk);
	local_bh_enable();
}

/* What a worker does; a process that holds the socket lock calls it again. */
static bool tx_run(struct esptcp_conn *conn, struct napi_struct *napi,
		   int budget, int *done)
{
	struct sock *sk = conn->sk;
	bool more = false;

	bh_lock_sock(sk);
	if (sock_owned_by_user(sk))
		set_bit(ESPTCP_F_TX_DEFERRED, &conn->flags);
	else if (!test_bit(ESPTCP_F_DETACHED, &conn->flags))
		more = esptcp_tx_flush(conn);
	bh_unlock_sock(sk);
	return more;
}

/**
 * esptcp_tx_init() - prepare a connection for sending
 * @conn: the connection
 */
void esptcp_tx_init(struct esptcp_conn *conn)
{
	skb_queue_head_init(&conn->tx_queue);
	__skb_queue_head_init(&conn->tx_ike);
	__skb_queue_head_init(&conn->tx_batch);
	codel_vars_init(&conn->tx_codel);
	codel_stats_init(&conn->tx_codel_stats);
	conn->tx_open = true;
	conn->tx_work.conn = conn;
	conn->tx_work.run = tx_run;
}

/**
 * esptcp_tx_pending() - whether anything waits for TCP
 * @conn: the connection; the answer is a hint unless the socket lock is held
 *
 * Return: true if so
 */
bool esptcp_tx_pending(const struct esptcp_conn *conn)
{
	return READ_ONCE(conn->tx_backlog) || READ_ONCE(conn->tx_ike_bytes) ||
	       !skb_queue_empty_lockless(&conn->tx_batch);
}

/**
 * esptcp_tx_end_esp() - take no more ESP, and drop what waits
 * @conn: the connection; the caller holds the socket lock
 *
 * What TCP has in part is left to be finished: the stream would be corrupt
 * otherwise.
 */
void esptcp_tx_end_esp(struct esptcp_conn *conn)
{
	struct sk_buff_head queue;

	__skb_queue_head_init(&queue);
	spin_lock_bh(&conn->tx_queue.lock);
	WRITE_ONCE(conn->tx_open, false);
	conn->tx_backlog = 0;
	skb_queue_splice_init(&conn->tx_queue, &queue);
	spin_unlock_bh(&conn->tx_queue.lock);
	esptcp_drop_queue(sock_net(conn->sk), conn, &queue,
			  ESPTCP_A_STATS_TX_DROP_CONN_CLOSED);
}

/**
 * esptcp_tx_end() - drop everything that waits
 * @conn: the connection, which goes down; the caller holds the socket lock
 */
void esptcp_tx_end(struct esptcp_conn *conn)
{
	struct net *net = sock_net(conn->sk);

	esptcp_tx_end_esp(conn);
	esptcp_drop_queue(net, conn, &conn->tx_ike,
			  ESPTCP_A_STATS_TX_DROP_CONN_CLOSED);
	esptcp_drop_queue(net, conn, &conn->tx_batch,
			  ESPTCP_A_STATS_TX_DROP_CONN_CLOSED);
	WRITE_ONCE(conn->tx_ike_bytes, 0);
	conn->tx_offset = 0;
}
