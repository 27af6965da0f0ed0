// SPDX-License-Identifier: GPL-2.0
/*
 * The attached socket as its owner sees it: a message socket for IKE.
 *
 * Owns the protocol and socket operations that replace TCP's own, and what
 * they do. All of it runs in process context, but for release_cb.
 *
 * sock->ops holds a reference to the module of its own. The socket layer
 * drops that one after the socket's release has returned, so that no code of
 * the module still runs when the last reference goes.
 */
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include <net/inet_common.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "conn.h"
#include "ike_rx.h"
#include "socket.h"
#include "tx.h"
#include "worker.h"

#define SEND_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR | MSG_MORE | \
			 MSG_BATCH | MSG_CMSG_COMPAT)
#define RECV_REFUSED	(MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)

static struct proto prot4 __ro_after_init;
static struct proto prot6 __ro_after_init;
static struct proto_ops ops4 __ro_after_init;
/* Made from the first IPv6 socket, as not all kernels export the original. */
static struct proto_ops ops6;
static const struct proto_ops *ops6_base;
static DEFINE_MUTEX(ops6_lock);

static const struct proto_ops *ops_base(const struct sock *sk)
{
	return sk->sk_prot == &prot6 ? ops6_base : &inet_stream_ops;
}

static bool has_marker(const struct sk_buff *skb)
{
	static const u8 marker[ESPTCP_MARKER_SIZE];

	return !memcmp(skb->data, marker, sizeof(marker));
}

/* Copy a message from the caller, before any lock is taken. */
static struct sk_buff *message_copy(struct msghdr *msg, size_t len)
{
	struct sk_buff *skb;
	int err = -EINVAL;

	if (len > ESPTCP_MAX_MESSAGE)
		return ERR_PTR(-EMSGSIZE);
	if (len <= ESPTCP_MARKER_SIZE)
		return ERR_PTR(-EINVAL);

	skb = alloc_skb(ESPTCP_LEN_SIZE + len, GFP_KERNEL);
	if (!skb)
		return ERR_PTR(-ENOBUFS);
	skb_reserve(skb, ESPTCP_LEN_SIZE);
	if (memcpy_from_msg(skb_put(skb, len), msg, len))
		err = -EFAULT;
	else if (has_marker(skb))
		return skb;
	kfree_skb(skb);
	return ERR_PTR(err);
}

static int send_error(const struct esptcp_conn *conn)
{
	if (READ_ONCE(conn->state) == ESPTCP_STATE_DOWN ||
	    test_bit(ESPTCP_F_WR_SHUT, &conn->flags) ||
	    test_bit(ESPTCP_F_BAD_LENGTH, &conn->flags))
		return -EPIPE;
	return 0;
}

/* Wait until a message can be queued. Under lock_sock(). */
static int send_wait(struct esptcp_conn *conn, size_t len, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = conn->sk;
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (!(err = send_error(conn)) && !esptcp_tx_ike_room(conn, len)) {
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		if (!timeo)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = sock_intr_errno(timeo);
		if (err)
			break;
		sk_wait_event(sk, &timeo,
			      send_error(conn) || esptcp_tx_ike_room(conn, len),
			      &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

static int socket_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct esptcp_conn *conn;
	struct sk_buff *skb;
	int err;

	if (msg->msg_flags & ~SEND_FLAGS)
		return -EOPNOTSUPP;
	skb = message_copy(msg, len);
	if (IS_ERR(skb))
		return PTR_ERR(skb);

	lock_sock(sk);
	conn = esptcp_conn_of(sk);
	err = send_wait(conn, len,
			sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT));
	if (!err)
		esptcp_tx_ike(conn, skb);
	release_sock(sk);

	if (err) {
		kfree_skb(skb);
		return err == -EPIPE ? sk_stream_error(sk, msg->msg_flags, err) :
				       err;
	}
	esptcp_tx_flush_bh(conn);
	return len;
}

static bool recv_ended(const struct esptcp_conn *conn)
{
	return READ_ONCE(conn->state) == ESPTCP_STATE_DOWN ||
	       test_bit(ESPTCP_F_RD_SHUT, &conn->flags);
}

/* Wait for a message. Under lock_sock(). *err is 0 at the end of the stream. */
static struct sk_buff *recv_wait(struct esptcp_conn *conn, long timeo, int *err)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = conn->sk;
	struct sk_buff *skb;

	*err = 0;
	add_wait_queue(sk_sleep(sk), &wait);
	while (!(skb = esptcp_ike_rx_dequeue(conn))) {
		if (recv_ended(conn)) {
			*err = sock_error(sk);
			break;
		}
		if (!timeo)
			*err = -EAGAIN;
		else if (signal_pending(current))
			*err = sock_intr_errno(timeo);
		if (*err)
			break;
		sk_wait_event(sk, &timeo,
			      !skb_queue_empty_lockless(&conn->ike_rx) ||
			      recv_ended(conn), &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return skb;
}

static int message_deliver(struct sk_buff *skb, struct msghdr *msg, size_t len,
			   int flags)
{
	size_t copied = min_t(size_t, len, skb->len);
	int ret;

	if (copied < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	ret = skb_copy_datagram_msg(skb, 0, msg, copied);
	if (!ret)
		ret = flags & MSG_TRUNC ? skb->len : copied;
	consume_skb(skb);
	return ret;
}

static int socket_recvmsg(struct sock *sk, struct msghdr *msg, size_t len,
			  ESPTCP_COMPAT_FLAGS(flags))
{
	struct sk_buff *skb;
	int err;

	if (flags & RECV_REFUSED)
		return -EOPNOTSUPP;

	lock_sock(sk);
	skb = recv_wait(esptcp_conn_of(sk),
			sock_rcvtimeo(sk, flags & MSG_DONTWAIT), &err);
	release_sock(sk);
	return skb ? message_deliver(skb, msg, len, flags) : err;
}

static __poll_t socket_poll(struct file *file, struct socket *sock,
			    struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	const struct esptcp_conn *conn;
	__poll_t mask = 0;

	sock_poll_wait(file, sock, wait);
	rcu_read_lock();
	conn = esptcp_conn_of(sk);
	/* Without the socket lock, sock->ops may be seen before the connection. */
	if (!conn)
		goto out;
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	if (recv_ended(conn))
		mask |= EPOLLRDHUP;
	if (READ_ONCE(sk->sk_shutdown) == SHUTDOWN_MASK ||
	    inet_sk_state_load(sk) == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (recv_ended(conn) || !skb_queue_empty_lockless(&conn->ike_rx))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (send_error(conn) || esptcp_tx_ike_room(conn, ESPTCP_MAX_MESSAGE))
		mask |= EPOLLOUT | EPOLLWRNORM;
	else
		set_bit(SOCK_NOSPACE, &sock->flags);
out:
	rcu_read_unlock();
	return mask;
}

static int socket_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct esptcp_conn *conn;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;

	lock_sock(sk);
	conn = esptcp_conn_of(sk);
	if (conn->state == ESPTCP_STATE_DOWN) {
		release_sock(sk);
		return ops_base(sk)->shutdown(sock, how);
	}
	if (how != SHUT_WR) {
		set_bit(ESPTCP_F_RD_SHUT, &conn->flags);
		sk->sk_shutdown |= RCV_SHUTDOWN;
	}
	if (how != SHUT_RD) {
		set_bit(ESPTCP_F_WR_SHUT, &conn->flags);
		esptcp_tx_end_esp(conn);
	}
	conn->saved.state_change(sk);
	release_sock(sk);

	esptcp_tx_flush_bh(conn);
	return 0;
}

static int socket_ioctl(struct socket *sock, unsigned int cmd,
			unsigned long arg)
{
	struct sock *sk = sock->sk;
	struct esptcp_conn *conn;
	struct sk_buff *skb;
	int len;

	if (cmd != SIOCINQ)
		return ops_base(sk)->ioctl(sock, cmd, arg);

	lock_sock(sk);
	conn = esptcp_conn_of(sk);
	skb = skb_peek(&conn->ike_rx);
	len = skb ? skb->len : 0;
	release_sock(sk);
	return put_user(len, (int __user *)arg);
}

static int socket_set_rcvlowat(struct sock *sk, int val)
{
	return -EOPNOTSUPP;
}

static int socket_disconnect(struct sock *sk, int flags)
{
	return -EBUSY;
}

static int socket_getsockopt(struct sock *sk, int level, int optname,
			     char __user *optval, int __user *optlen)
{
	/* It would take octets out of the stream behind our back. */
	if (level == SOL_TCP && optname == TCP_ZEROCOPY_RECEIVE)
		return -EOPNOTSUPP;
	return (sk->sk_prot == &prot6 ? &tcpv6_prot : &tcp_prot)
		->getsockopt(sk, level, optname, optval, optlen);
}

static ssize_t socket_splice_read(struct socket *sock, loff_t *ppos,
				  struct pipe_inode_info *pipe, size_t len,
				  unsigned int flags)
{
	return -EOPNOTSUPP;
}

static void socket_close(struct sock *sk, long timeout)
{
	struct esptcp_conn *conn;
	struct proto *base;

	/* The owner's last call: nobody else can detach it. */
	rcu_read_lock();
	conn = esptcp_conn_of(sk);
	rcu_read_unlock();

	base = conn->base;
	esptcp_conn_detach(conn);
	base->close(sk, timeout);
}

/* The socket lock's owner lets go of it; runs with the spinlock held. */
static void socket_release_cb(struct sock *sk)
{
	struct esptcp_conn *conn = esptcp_conn_of(sk);

	conn->base->release_cb(sk);
	if (test_and_clear_bit(ESPTCP_F_RX_DEFERRED, &conn->flags))
		esptcp_worker_kick(&conn->rx_work);
	if (test_and_clear_bit(ESPTCP_F_TX_DEFERRED, &conn->flags))
		esptcp_worker_kick(&conn->tx_work);
}

static void prot_build(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->close = socket_close;
	prot->disconnect = socket_disconnect;
	prot->sendmsg = socket_sendmsg;
	prot->recvmsg = socket_recvmsg;
	prot->getsockopt = socket_getsockopt;
	prot->release_cb = socket_release_cb;
	prot->splice_eof = NULL;
}

static void ops_build(struct proto_ops *ops, const struct proto_ops *base)
{
	*ops = *base;
	ops->owner = THIS_MODULE;
	ops->poll = socket_poll;
	ops->ioctl = socket_ioctl;
	ops->shutdown = socket_shutdown;
	ops->mmap = sock_no_mmap;
	ops->splice_read = socket_splice_read;
	ops->splice_eof = NULL;
	ops->set_rcvlowat = socket_set_rcvlowat;
	ops->set_peek_off = NULL;
	ops->peek_len = NULL;
	ops->read_sock = NULL;
	ops->read_skb = NULL;
	ops->sendmsg_locked = NULL;
	esptcp_compat_ops_build(ops);
}

/**
 * esptcp_socket_init() - make the operations of attached sockets
 */
void __init esptcp_socket_init(void)
{
	prot_build(&prot4, &tcp_prot);
	prot_build(&prot6, &tcpv6_prot);
	ops_build(&ops4, &inet_stream_ops);
}

static bool ops6_supported(const struct proto_ops *ops)
{
	bool same;

	mutex_lock(&ops6_lock);
	if (!ops6_base) {
		ops_build(&ops6, ops);
		ops6_base = ops;
	}
	same = ops6_base == ops;
	mutex_unlock(&ops6_lock);
	return same;
}

/**
 * esptcp_socket_supported() - whether a socket is plain TCP
 * @sk: the socket, locked by lock_sock()
 *
 * Return: 0, or -EOPNOTSUPP if something else has replaced its operations
 *	(MPTCP, SMC, a sockmap)
 */
int esptcp_socket_supported(const struct sock *sk)
{
	const struct socket *sock = sk->sk_socket;

	if (!sock)
		return -EOPNOTSUPP;
	if (sk->sk_prot == &tcp_prot && sock->ops == &inet_stream_ops)
		return 0;
	if (sk->sk_prot == &tcpv6_prot && !sk_is_mptcp(sk) &&
	    ops6_supported(sock->ops))
		return 0;
	return -EOPNOTSUPP;
}

/**
 * esptcp_socket_attach() - replace a socket's operations
 * @sk: the socket, supported, locked by lock_sock()
 */
void esptcp_socket_attach(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	struct module *owner = sock->ops->owner;

	__module_get(THIS_MODULE);
	if (sk->sk_prot == &tcpv6_prot) {
		WRITE_ONCE(sk->sk_prot, &prot6);
		WRITE_ONCE(sock->ops, &ops6);
	} else {
		WRITE_ONCE(sk->sk_prot, &prot4);
		WRITE_ONCE(sock->ops, &ops4);
	}
	module_put(owner);
}

/**
 * esptcp_socket_detach() - give a socket's protocol back
 * @sk: the socket, which is being closed, locked by lock_sock()
 * @conn: its connection
 *
 * sock->ops stays: the socket layer is about to forget it.
 */
void esptcp_socket_detach(struct sock *sk, const struct esptcp_conn *conn)
{
	WRITE_ONCE(sk->sk_prot, conn->base);
}
