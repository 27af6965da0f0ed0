// SPDX-License-Identifier: GPL-2.0
/*
 * A connection's life: attached to an ESTABLISHED socket, up, down when TCP
 * ends, detached when the owner closes the socket.
 *
 * Attaching replaces the socket's callbacks here and its operations in
 * socket.c. Nothing is left behind in the socket after detaching, not even
 * the ULP: an orphan that TCP keeps for minutes must not keep the module.
 */
#include <linux/module.h>
#include <net/inet_common.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "binding.h"
#include "conn.h"
#include "fortinet.h"
#include "ike_rx.h"
#include "netlink.h"
#include "rx.h"
#include "segment.h"
#include "socket.h"
#include "stats.h"
#include "tuple.h"
#include "tx.h"
#include "worker.h"

/**
 * esptcp_conn_of() - the connection that a socket carries
 * @sk: the socket
 *
 * The caller holds the socket lock or is under RCU.
 *
 * Return: the connection, or NULL after it was detached
 */
struct esptcp_conn *esptcp_conn_of(const struct sock *sk)
{
	return rcu_dereference_check(inet_csk(sk)->icsk_ulp_data,
				     lockdep_sock_is_held(sk));
}

/**
 * esptcp_conn_find() - look a connection up by its number
 * @net: the namespace
 * @id: its number
 *
 * Return: the connection with a reference, or NULL
 */
struct esptcp_conn *esptcp_conn_find(const struct net *net, u32 id)
{
	struct esptcp_conn *conn;

	rcu_read_lock();
	conn = xa_load(&esptcp_net(net)->conns, id);
	if (conn && !refcount_inc_not_zero(&conn->refs))
		conn = NULL;
	rcu_read_unlock();
	return conn;
}

static void conn_free_rcu(struct rcu_head *rcu)
{
	struct esptcp_conn *conn = container_of(rcu, struct esptcp_conn, rcu);

	dst_cache_destroy(&conn->segments.route);
	sock_put(conn->sk);
	kfree(conn);
}

/**
 * esptcp_conn_put() - give a reference back
 * @conn: the connection
 */
void esptcp_conn_put(struct esptcp_conn *conn)
{
	if (refcount_dec_and_test(&conn->refs))
		call_rcu(&conn->rcu, conn_free_rcu);
}

/* The callbacks run under the socket lock or in process context. */
static void conn_data_ready(struct sock *sk)
{
	struct esptcp_conn *conn;

	rcu_read_lock();
	conn = esptcp_conn_of(sk);
	if (conn)
		esptcp_worker_kick(&conn->rx_work);
	rcu_read_unlock();
}

static void conn_state_change(struct sock *sk)
{
	struct esptcp_conn *conn;

	rcu_read_lock();
	conn = esptcp_conn_of(sk);
	if (conn) {
		esptcp_worker_kick(&conn->rx_work);
		/* Before it is down, esptcp_conn_check_end() wakes them. */
		if (READ_ONCE(conn->state) == ESPTCP_STATE_DOWN)
			conn->saved.state_change(sk);
	}
	rcu_read_unlock();
}

static void conn_write_space(struct sock *sk)
{
	struct esptcp_conn *conn;

	rcu_read_lock();
	conn = esptcp_conn_of(sk);
	if (conn) {
		if (esptcp_tx_pending(conn))
			esptcp_worker_kick(&conn->tx_work);
		conn->saved.write_space(sk);
	}
	rcu_read_unlock();
}

static void conn_error_report(struct sock *sk)
{
	struct esptcp_conn *conn;

	rcu_read_lock();
	conn = esptcp_conn_of(sk);
	if (conn) {
		/*
		 * Whoever reads SO_ERROR clears sk_err. While TCP goes on it
		 * is an ICMP error that IP_RECVERR asked for: TCP would send
		 * nothing until somebody has read it.
		 */
		if (sk->sk_state == TCP_CLOSE)
			WRITE_ONCE(conn->error, sk->sk_err);
		else
			WRITE_ONCE(sk->sk_err, 0);
		esptcp_worker_kick(&conn->rx_work);
		esptcp_worker_kick(&conn->tx_work);
		conn->saved.error_report(sk);
	}
	rcu_read_unlock();
}

static void conn_set_callbacks(struct esptcp_conn *conn)
{
	struct sock *sk = conn->sk;

	write_lock_bh(&sk->sk_callback_lock);
	conn->saved.data_ready = sk->sk_data_ready;
	conn->saved.write_space = sk->sk_write_space;
	conn->saved.state_change = sk->sk_state_change;
	conn->saved.error_report = sk->sk_error_report;
	sk->sk_data_ready = conn_data_ready;
	sk->sk_write_space = conn_write_space;
	sk->sk_state_change = conn_state_change;
	sk->sk_error_report = conn_error_report;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void conn_restore_callbacks(struct esptcp_conn *conn)
{
	struct sock *sk = conn->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = conn->saved.data_ready;
	sk->sk_write_space = conn->saved.write_space;
	sk->sk_state_change = conn->saved.state_change;
	sk->sk_error_report = conn->saved.error_report;
	write_unlock_bh(&sk->sk_callback_lock);
}

/**
 * esptcp_conn_family() - the family of the packets that a socket sends
 * @sk: the socket, connected
 *
 * Return: AF_INET or AF_INET6
 */
u16 esptcp_conn_family(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 &&
	       !ipv6_addr_v4mapped(&sk->sk_v6_daddr) ? AF_INET6 : AF_INET;
}

static void conn_set_addresses(struct esptcp_conn *conn)
{
	const struct sock *sk = conn->sk;

	conn->family = esptcp_conn_family(sk);
	if (conn->family == AF_INET6) {
		conn->local.in6 = sk->sk_v6_rcv_saddr;
		conn->remote.in6 = sk->sk_v6_daddr;
	} else {
		conn->local.a4 = sk->sk_rcv_saddr;
		conn->remote.a4 = sk->sk_daddr;
	}
}

static void conn_abort(struct work_struct *work)
{
	struct esptcp_conn *conn = container_of(work, struct esptcp_conn, abort);

	tcp_abort(conn->sk, EPROTO);
	esptcp_worker_kick(&conn->rx_work);
	esptcp_conn_put(conn);
}

/* Under esptcp_net.lock and the socket lock. */
static int conn_use_segments(struct esptcp_conn *conn,
			     const struct esptcp_profile *profile)
{
	struct esptcp_binding *b;
	int err;

	conn->segments.profile = *profile;
	/* A frame in the stream would pass for a segment with a length. */
	if (profile->length_prefix && !esptcp_segment_told_apart(conn))
		return -ENOPROTOOPT;
	err = esptcp_segment_init(conn);
	if (err)
		return err;
	list_for_each_entry(b, &conn->bindings, conn_list)
		esptcp_segment_bind(b, conn);
	err = esptcp_tuple_add(conn);
	if (err)
		return err;
	/* Pairs with esptcp_framing(). */
	smp_store_release(&conn->framing, ESPTCP_FRAMING_FORTINET);
	return 0;
}

/* Give a connection its place among those like it, and its number. */
static int conn_insert(struct esptcp_net *en, struct esptcp_conn *conn,
		       const struct esptcp_attach *how)
{
	int err = 0;

	if (how->framing == ESPTCP_FRAMING_FORTINET)
		err = conn_use_segments(conn, &how->profile);
	if (err)
		return err;
	/* From here on others may take references. */
	err = xa_alloc_cyclic(&en->conns, &conn->id, conn, xa_limit_32b,
			      &en->next_id, GFP_KERNEL);
	if (err < 0 && how->framing == ESPTCP_FRAMING_FORTINET)
		esptcp_tuple_del(conn);
	return min(err, 0);
}

static struct esptcp_conn *conn_alloc(struct sock *sk,
				      const struct esptcp_attach *how)
{
	struct esptcp_net *en = esptcp_net(sock_net(sk));
	struct esptcp_conn *conn;
	int err;

	conn = kzalloc(sizeof(*conn), GFP_KERNEL_ACCOUNT);
	if (!conn)
		return ERR_PTR(-ENOMEM);

	conn->sk = sk;
	conn->role = how->role;
	conn->base = sk->sk_prot;
	conn->saved_allocation = sk->sk_allocation;
	refcount_set(&conn->refs, 1);
	conn->inode = sock_i_ino(sk);
	conn->attached = jiffies;
	INIT_LIST_HEAD(&conn->bindings);
	INIT_WORK(&conn->abort, conn_abort);
	esptcp_rx_init(conn);
	esptcp_tx_init(conn);
	conn_set_addresses(conn);

	sock_hold(sk);
	err = conn_insert(en, conn, how);
	if (!err)
		return conn;
	esptcp_conn_put(conn);
	return ERR_PTR(err);
}

/*
 * What tcp_sendmsg_locked() needs to run in softirq, and to send at once; and
 * to hear of each octet that arrives.
 */
static void conn_prepare_socket(struct sock *sk)
{
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	sock_set_flag(sk, SOCK_URGINLINE);
	sk->sk_allocation = GFP_ATOMIC;
	sk->sk_use_task_frag = false;
	tcp_sk(sk)->nonagle |= TCP_NAGLE_OFF;
}

/*
 * Under lock_sock(), after which the worker parses what TCP has received
 * already. The caller sets icsk_ulp_ops.
 */
static int conn_attach(struct sock *sk, const struct esptcp_attach *how)
{
	struct esptcp_conn *conn;
	int err;

	if (!ns_capable(sock_net(sk)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (sk->sk_state != TCP_ESTABLISHED)
		return -ENOTCONN;
	err = esptcp_socket_supported(sk);
	if (err)
		return err;

	conn = conn_alloc(sk, how);
	if (IS_ERR(conn))
		return PTR_ERR(conn);

	conn_prepare_socket(sk);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, conn);
	conn_set_callbacks(conn);
	esptcp_socket_attach(sk);
	esptcp_nl_conn_event(conn, ESPTCP_CMD_CONN_UP_NTF);
	esptcp_worker_kick(&conn->rx_work);
	return 0;
}

/* setsockopt(TCP_ULP) has no room to say more than a name. */
static int conn_ulp_init(struct sock *sk)
{
	static const struct esptcp_attach how = {
		.role = ESPTCP_ROLE_UNKNOWN,
		.framing = ESPTCP_FRAMING_RFC9329,
	};

	return conn_attach(sk, &how);
}

static void conn_down(struct esptcp_conn *conn, u8 reason)
{
	if (conn->state == ESPTCP_STATE_DOWN)
		return;

	WRITE_ONCE(conn->reason, reason);
	WRITE_ONCE(conn->state, ESPTCP_STATE_DOWN);
	esptcp_rx_end(conn);
	esptcp_tx_end(conn);
	esptcp_nl_conn_event(conn, ESPTCP_CMD_CONN_DOWN_NTF);
}

static u8 reason_of_error(int error)
{
	switch (error) {
	case 0:
		return ESPTCP_REASON_EOF;
	case ECONNRESET:
	case EPIPE:
		return ESPTCP_REASON_RESET;
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return ESPTCP_REASON_TIMEOUT;
	default:
		return ESPTCP_REASON_ERROR;
	}
}

/**
 * esptcp_conn_check_end() - see whether TCP has ended
 * @conn: the connection; the caller holds the socket lock in softirq, and has
 *	parsed all that TCP received
 */
void esptcp_conn_check_end(struct esptcp_conn *conn)
{
	bool bad = test_bit(ESPTCP_F_BAD_LENGTH, &conn->flags);
	struct sock *sk = conn->sk;
	u8 reason;

	if (conn->state == ESPTCP_STATE_DOWN)
		return;

	if (sk->sk_state == TCP_CLOSE)
		reason = bad ? ESPTCP_REASON_BAD_LENGTH :
			       reason_of_error(conn->error);
	else if (!bad &&
		 (1 << sk->sk_state) & (TCPF_CLOSE_WAIT | TCPF_CLOSING |
					TCPF_LAST_ACK))
		reason = ESPTCP_REASON_EOF;
	else
		return;

	/* The peer may still read what TCP can take at once. */
	esptcp_tx_flush(conn);
	conn_down(conn, reason);
	/* Readers and pollers wait for our state, not for TCP's. */
	conn->saved.state_change(sk);
}

/**
 * esptcp_conn_bad_length() - end a connection whose stream is corrupt
 * @conn: the connection; the caller holds the socket lock
 *
 * RFC 9329 section 3.1: the connection MUST be closed. Resetting it needs
 * process context. Nothing of the stream is parsed any more.
 */
void esptcp_conn_bad_length(struct esptcp_conn *conn)
{
	esptcp_count(sock_net(conn->sk), conn, ESPTCP_A_STATS_RX_BAD_LENGTH, 1);
	set_bit(ESPTCP_F_BAD_LENGTH, &conn->flags);
	refcount_inc(&conn->refs);
	schedule_work(&conn->abort);
}

static void conn_forget_ulp(struct sock *sk)
{
	inet_csk(sk)->icsk_ulp_ops = NULL;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	/*
	 * The reference of sock->ops is still held: the socket layer drops it
	 * when the socket's release has returned from the module.
	 */
	module_put(THIS_MODULE);
}

/**
 * esptcp_conn_detach() - give the socket back to TCP, before it is closed
 * @conn: the connection; the caller closes its socket and holds no lock
 *
 * Process context, may sleep. The socket's reference to the connection is
 * given back, so that the caller must not use it any more.
 */
void esptcp_conn_detach(struct esptcp_conn *conn)
{
	struct sock *sk = conn->sk;
	struct esptcp_net *en = esptcp_net(sock_net(sk));

	/* IKE's last words, a DELETE perhaps. */
	esptcp_tx_flush_bh(conn);

	mutex_lock(&en->lock);
	lock_sock(sk);
	conn_down(conn, ESPTCP_REASON_CLOSED);
	esptcp_ike_rx_purge(conn);
	set_bit(ESPTCP_F_DETACHED, &conn->flags);
	esptcp_socket_detach(sk, conn);
	conn_restore_callbacks(conn);
	sk->sk_allocation = conn->saved_allocation;
	conn_forget_ulp(sk);
	release_sock(sk);

	esptcp_binding_sever(conn);
	if (conn->framing == ESPTCP_FRAMING_FORTINET) {
		esptcp_tuple_del(conn);
		esptcp_fortinet_put(en);
	}
	xa_erase(&en->conns, conn->id);
	mutex_unlock(&en->lock);

	if (cancel_work_sync(&conn->abort))
		esptcp_conn_put(conn);
	esptcp_conn_put(conn);
}

static struct tcp_ulp_ops ulp_ops __read_mostly = {
	.name	= ESPTCP_ULP_NAME,
	.owner	= THIS_MODULE,
	.init	= conn_ulp_init,
};

/**
 * esptcp_conn_attached() - whether a socket carries a connection
 * @sk: the socket, locked by lock_sock()
 *
 * Return: true if it does
 */
bool esptcp_conn_attached(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ulp_ops == &ulp_ops;
}

/**
 * esptcp_conn_attach() - attach on behalf of netlink
 * @sk: the socket, locked by lock_sock()
 * @how: role and framing; for the fortinet framing the caller has called
 *	esptcp_fortinet_get(), which detaching undoes
 *
 * Does what setsockopt(TCP_ULP) does, under a lock that the caller keeps.
 *
 * Return: 0 or a negative errno, see kmod/README.md
 */
int esptcp_conn_attach(struct sock *sk, const struct esptcp_attach *how)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	int err;

	if (icsk->icsk_ulp_ops)
		return -EEXIST;
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	err = conn_attach(sk, how);
	if (err)
		module_put(THIS_MODULE);
	else
		icsk->icsk_ulp_ops = &ulp_ops;
	return err;
}

/**
 * esptcp_conn_set_segments() - have a connection use the fortinet framing
 * @en: its namespace, locked
 * @conn: the connection; the caller has not locked its socket
 * @profile: what the headers shall be like
 *
 * Process context, may sleep.
 *
 * Return: 0, also if it does so already, or a negative errno: -ENOTCONN if the
 *	connection is down, -EBUSY if it has another profile
 */
int esptcp_conn_set_segments(struct esptcp_net *en, struct esptcp_conn *conn,
			     const struct esptcp_profile *profile)
{
	int err;

	lockdep_assert_held(&en->lock);
	if (conn->framing == ESPTCP_FRAMING_FORTINET)
		return memcmp(&conn->segments.profile, profile,
			      sizeof(*profile)) ? -EBUSY : 0;
	err = esptcp_fortinet_get(en);
	if (err)
		return err;
	lock_sock(conn->sk);
	err = conn->state == ESPTCP_STATE_DOWN ?
		      -ENOTCONN : conn_use_segments(conn, profile);
	release_sock(conn->sk);
	if (err)
		esptcp_fortinet_put(en);
	return err;
}

/**
 * esptcp_conn_register_ulp() - make TCP_ULP "esptcp" available
 *
 * Return: 0 or a negative errno
 */
int esptcp_conn_register_ulp(void)
{
	return tcp_register_ulp(&ulp_ops);
}

/**
 * esptcp_conn_unregister_ulp() - undo esptcp_conn_register_ulp()
 */
void esptcp_conn_unregister_ulp(void)
{
	tcp_unregister_ulp(&ulp_ops);
}
