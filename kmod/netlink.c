// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: what kmod/esptcp.yaml specifies.
 *
 * Commands run in the caller's process context and may run in parallel;
 * those that change something hold esptcp_net.lock. Events are sent from any
 * context.
 */
#include <linux/file.h>
#include <linux/net.h>
#include <net/inet_sock.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "binding.h"
#include "conn.h"
#include "fortinet.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "profile.h"
#include "segment.h"
#include "stats.h"

/* More than any message of ours takes: each counter is a 64-bit attribute. */
#define EVENT_SIZE	2048

static int put_stats(struct sk_buff *skb, const struct esptcp_net *en,
		     const struct esptcp_conn *conn)
{
	struct nlattr *nest = nla_nest_start(skb, ESPTCP_A_CONN_STATS);
	int stat;
	u64 v;

	if (!nest)
		return -EMSGSIZE;
	for (stat = 1; stat < __ESPTCP_A_STATS_MAX; stat++) {
		if (!esptcp_stat_names[stat])
			continue;
		v = conn ? atomic64_read(&conn->counters.v[stat]) :
			   esptcp_mib_read(en, stat);
		if (nla_put_u64_64bit(skb, stat, v, ESPTCP_A_STATS_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_addresses(struct sk_buff *skb, const struct esptcp_conn *conn)
{
	const struct inet_sock *inet = inet_sk(conn->sk);
	int size = conn->family == AF_INET6 ? 16 : 4;

	if (nla_put(skb, ESPTCP_A_CONN_LOCAL_ADDR, size, &conn->local) ||
	    nla_put(skb, ESPTCP_A_CONN_REMOTE_ADDR, size, &conn->remote) ||
	    nla_put_be16(skb, ESPTCP_A_CONN_LOCAL_PORT, inet->inet_sport) ||
	    nla_put_be16(skb, ESPTCP_A_CONN_REMOTE_PORT, inet->inet_dport))
		return -EMSGSIZE;
	return 0;
}

static int put_conn(struct sk_buff *skb, const struct esptcp_conn *conn)
{
	u64 age = jiffies_to_msecs(jiffies - conn->attached);

	if (nla_put_u32(skb, ESPTCP_A_CONN_ID, conn->id) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_FRAMING, esptcp_framing(conn)) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_STATE, READ_ONCE(conn->state)) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_REASON, READ_ONCE(conn->reason)) ||
	    put_addresses(skb, conn) ||
	    nla_put_u64_64bit(skb, ESPTCP_A_CONN_INODE, conn->inode,
			      ESPTCP_A_CONN_PAD) ||
	    nla_put_u64_64bit(skb, ESPTCP_A_CONN_AGE, age, ESPTCP_A_CONN_PAD) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_TX_QUEUE,
			READ_ONCE(conn->tx_backlog)) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_IKE_RX_QUEUE,
			READ_ONCE(conn->ike_rx_bytes)) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_BINDINGS,
			READ_ONCE(conn->nbindings)) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_ROLE, conn->role) ||
	    nla_put_u32(skb, ESPTCP_A_CONN_ERROR, READ_ONCE(conn->error)) ||
	    (esptcp_framing(conn) == ESPTCP_FRAMING_FORTINET &&
	     esptcp_profile_put(skb, &conn->segments.profile)))
		return -EMSGSIZE;
	return put_stats(skb, NULL, conn);
}

static int put_binding(struct sk_buff *skb, const struct esptcp_binding *b,
		       u32 conn_id)
{
	int size = b->family == AF_INET6 ? 16 : 4;

	if ((conn_id && nla_put_u32(skb, ESPTCP_A_BINDING_CONN_ID, conn_id)) ||
	    nla_put_u32(skb, ESPTCP_A_BINDING_DIR, b->key.dir) ||
	    nla_put_be32(skb, ESPTCP_A_BINDING_SPI, b->key.spi) ||
	    nla_put(skb, ESPTCP_A_BINDING_DADDR, size, &b->daddr))
		return -EMSGSIZE;
	return 0;
}

/* Send an event whose attributes have been put, or forget one too big. */
static void event_send(struct net *net, struct sk_buff *skb, void *hdr, int err)
{
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&esptcp_nl_family, net, skb, 0,
				ESPTCP_NLGRP_EVENTS, GFP_ATOMIC);
}

static struct sk_buff *event_new(struct net *net, u8 cmd, void **hdr)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&esptcp_nl_family, net, ESPTCP_NLGRP_EVENTS))
		return NULL;
	skb = genlmsg_new(EVENT_SIZE, GFP_ATOMIC);
	if (skb)
		*hdr = genlmsg_put(skb, 0, 0, &esptcp_nl_family, 0, cmd);
	return skb;
}

/**
 * esptcp_nl_conn_event() - tell listeners about a connection
 * @conn: the connection
 * @cmd: ESPTCP_CMD_CONN_UP_NTF or ESPTCP_CMD_CONN_DOWN_NTF
 */
void esptcp_nl_conn_event(struct esptcp_conn *conn, u8 cmd)
{
	struct net *net = sock_net(conn->sk);
	struct sk_buff *skb;
	void *hdr;

	skb = event_new(net, cmd, &hdr);
	if (skb)
		event_send(net, skb, hdr, put_conn(skb, conn));
}

/**
 * esptcp_nl_rebind_event() - tell listeners that an SA moved
 * @net: the namespace
 * @b: the binding
 * @conn_id: the connection that has it now
 */
void esptcp_nl_rebind_event(struct net *net, const struct esptcp_binding *b,
			    u32 conn_id)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_new(net, ESPTCP_CMD_REBIND_NTF, &hdr);
	if (skb)
		event_send(net, skb, hdr, put_binding(skb, b, conn_id));
}

/* Find the TCP socket behind a descriptor of the caller. */
static struct socket *socket_of_fd(struct genl_info *info, struct nlattr *attr)
{
	struct socket *sock;
	int err;

	sock = sockfd_lookup(nla_get_u32(attr), &err);
	if (!sock) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the descriptor is not a socket");
		return ERR_PTR(err);
	}
	if (sock_net(sock->sk) != genl_info_net(info)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the socket belongs to another network namespace");
		err = -EXDEV;
	} else if (sock->sk->sk_protocol == IPPROTO_MPTCP) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "an MPTCP socket; open it with IPPROTO_TCP");
		err = -EOPNOTSUPP;
	} else if (!sk_is_tcp(sock->sk)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the socket is not a TCP socket");
		err = -EPROTONOSUPPORT;
	} else {
		return sock;
	}
	sockfd_put(sock);
	return ERR_PTR(err);
}

static struct esptcp_conn *conn_of_fd(struct genl_info *info,
				      struct nlattr *attr)
{
	struct socket *sock = socket_of_fd(info, attr);
	struct esptcp_conn *conn = NULL;

	if (IS_ERR(sock))
		return ERR_CAST(sock);

	lock_sock(sock->sk);
	if (esptcp_conn_attached(sock->sk)) {
		conn = esptcp_conn_of(sock->sk);
		refcount_inc(&conn->refs);
	}
	release_sock(sock->sk);
	sockfd_put(sock);
	if (conn)
		return conn;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "the socket is not attached");
	return ERR_PTR(-ENOENT);
}

static struct esptcp_conn *conn_of_id(struct genl_info *info,
				      struct nlattr *attr)
{
	struct esptcp_conn *conn;

	conn = esptcp_conn_find(genl_info_net(info), nla_get_u32(attr));
	if (conn)
		return conn;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such connection");
	return ERR_PTR(-ENOENT);
}

/* The connection that one of two attributes names, with a reference. */
static struct esptcp_conn *conn_of(struct genl_info *info, int id, int fd)
{
	if (info->attrs[id])
		return conn_of_id(info, info->attrs[id]);
	if (info->attrs[fd])
		return conn_of_fd(info, info->attrs[fd]);
	NL_SET_ERR_MSG(info->extack, "the connection's id or fd is missing");
	return ERR_PTR(-EINVAL);
}

static void attach_error(struct netlink_ext_ack *extack, int err)
{
	switch (err) {
	case -EEXIST:
		NL_SET_ERR_MSG(extack,
			       "the socket has an upper layer protocol already");
		break;
	case -ENOTCONN:
		NL_SET_ERR_MSG(extack, "the socket is not connected");
		break;
	case -EOPNOTSUPP:
		NL_SET_ERR_MSG(extack, "the socket is not plain TCP");
		break;
	case -ENOPROTOOPT:
		NL_SET_ERR_MSG(extack,
			       "a length prefix needs a connection with TCP timestamps, and segments without");
		break;
	}
}

/* What a request says of how to attach. */
static int attach_how(struct genl_info *info, struct esptcp_attach *how)
{
	struct nlattr *framing = info->attrs[ESPTCP_A_CONN_FRAMING];
	struct nlattr *profile = info->attrs[ESPTCP_A_CONN_PROFILE];
	struct nlattr *role = info->attrs[ESPTCP_A_CONN_ROLE];

	memset(how, 0, sizeof(*how));
	how->role = role ? nla_get_u32(role) : ESPTCP_ROLE_UNKNOWN;
	how->framing = framing ? nla_get_u32(framing) : ESPTCP_FRAMING_RFC9329;
	if (how->framing == ESPTCP_FRAMING_FORTINET)
		return esptcp_profile_parse(profile, &how->profile,
					    info->extack);
	if (!profile)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, profile,
			    "a profile goes with the fortinet framing only");
	return -EINVAL;
}

/* Attach, and take over the bindings of another connection. */
static int attach_locked(struct genl_info *info, struct sock *sk,
			 const struct esptcp_attach *how,
			 struct esptcp_conn *old, u32 *id)
{
	struct esptcp_conn *conn;
	int err;

	if (old && sk->sk_state == TCP_ESTABLISHED &&
	    old->family != esptcp_conn_family(sk)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[ESPTCP_A_CONN_REPLACES],
				    "that connection is of another address family");
		return -EAFNOSUPPORT;
	}
	err = esptcp_conn_attach(sk, how);
	if (err)
		return err;

	conn = esptcp_conn_of(sk);
	*id = conn->id;
	/* Before the lock is released nothing has been parsed. */
	if (old)
		esptcp_binding_move_all(old, conn);
	return 0;
}

static int attach(struct genl_info *info, struct sock *sk,
		  const struct esptcp_attach *how, u32 *id)
{
	struct nlattr *replaces = info->attrs[ESPTCP_A_CONN_REPLACES];
	struct esptcp_conn *old = NULL;
	int err;

	if (replaces) {
		old = conn_of_id(info, replaces);
		if (IS_ERR(old))
			return PTR_ERR(old);
	}

	lock_sock(sk);
	err = attach_locked(info, sk, how, old, id);
	release_sock(sk);

	if (old)
		esptcp_conn_put(old);
	attach_error(info->extack, err);
	return err;
}

/* The hooks come first: registering them may not be done under the socket lock. */
static int attach_framing(struct genl_info *info, struct esptcp_net *en,
			  struct sock *sk, const struct esptcp_attach *how,
			  u32 *id)
{
	int err;

	if (how->framing != ESPTCP_FRAMING_FORTINET)
		return attach(info, sk, how, id);
	err = esptcp_fortinet_get(en);
	if (err)
		return err;
	err = attach(info, sk, how, id);
	if (err)
		esptcp_fortinet_put(en);
	return err;
}

static struct sk_buff *reply_new(struct genl_info *info, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(EVENT_SIZE, GFP_KERNEL);

	if (skb)
		*hdr = genlmsg_put_reply(skb, info, &esptcp_nl_family, 0,
					 info->genlhdr->cmd);
	return skb;
}

static int reply_send(struct genl_info *info, struct sk_buff *skb, void *hdr,
		      int err)
{
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

int esptcp_nl_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptcp_net *en = esptcp_net(genl_info_net(info));
	struct nlattr *fd = info->attrs[ESPTCP_A_CONN_FD];
	struct esptcp_attach how;
	struct socket *sock;
	struct sk_buff *msg;
	void *hdr;
	u32 id = 0;
	int err;

	if (!fd) {
		NL_SET_ERR_MSG(info->extack, "the socket's fd is missing");
		return -EINVAL;
	}
	err = attach_how(info, &how);
	if (err)
		return err;
	sock = socket_of_fd(info, fd);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	/* First, so that nothing can fail once the socket is attached. */
	msg = reply_new(info, &hdr);
	if (!msg) {
		sockfd_put(sock);
		return -ENOMEM;
	}

	mutex_lock(&en->lock);
	err = attach_framing(info, en, sock->sk, &how, &id);
	mutex_unlock(&en->lock);
	sockfd_put(sock);
	return reply_send(info, msg, hdr,
			  err ?: nla_put_u32(msg, ESPTCP_A_CONN_ID, id));
}

int esptcp_nl_conn_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptcp_conn *conn;
	struct sk_buff *msg;
	void *hdr;
	int err;

	conn = conn_of(info, ESPTCP_A_CONN_ID, ESPTCP_A_CONN_FD);
	if (IS_ERR(conn))
		return PTR_ERR(conn);
	msg = reply_new(info, &hdr);
	err = msg ? reply_send(info, msg, hdr, put_conn(msg, conn)) : -ENOMEM;
	esptcp_conn_put(conn);
	return err;
}

static int set_framing(struct genl_info *info, struct esptcp_conn *conn)
{
	struct esptcp_net *en = esptcp_net(genl_info_net(info));
	struct esptcp_attach how;
	int err;

	err = attach_how(info, &how);
	if (err)
		return err;
	if (how.framing != ESPTCP_FRAMING_FORTINET) {
		NL_SET_ERR_MSG(info->extack,
			       "a connection can be set to the fortinet framing only");
		return -EINVAL;
	}
	mutex_lock(&en->lock);
	err = esptcp_conn_set_segments(en, conn, &how.profile);
	mutex_unlock(&en->lock);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack,
			       "the connection has another profile; open a new one");
	else if (err == -ENOTCONN)
		NL_SET_ERR_MSG(info->extack, "the connection is down");
	else
		attach_error(info->extack, err);
	return err;
}

int esptcp_nl_conn_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptcp_conn *conn;
	int err;

	conn = conn_of(info, ESPTCP_A_CONN_ID, ESPTCP_A_CONN_FD);
	if (IS_ERR(conn))
		return PTR_ERR(conn);
	err = set_framing(info, conn);
	esptcp_conn_put(conn);
	return err;
}

static int dump_conn(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct esptcp_conn *conn)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &esptcp_nl_family, NLM_F_MULTI, ESPTCP_CMD_CONN_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (put_conn(skb, conn)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* cb->args[0] is the first id that has not been dumped. */
int esptcp_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct esptcp_net *en = esptcp_net(sock_net(skb->sk));
	struct esptcp_conn *conn;
	unsigned long id;

	rcu_read_lock();
	xa_for_each_start(&en->conns, id, conn, cb->args[0]) {
		if (dump_conn(skb, cb, conn))
			break;
		cb->args[0] = id + 1;
	}
	rcu_read_unlock();
	return skb->len;
}

/* What bind and unbind have in common. */
static int binding_spec(struct genl_info *info, struct esptcp_binding *spec)
{
	struct nlattr *dir = info->attrs[ESPTCP_A_BINDING_DIR];
	struct nlattr *spi = info->attrs[ESPTCP_A_BINDING_SPI];
	struct nlattr *daddr = info->attrs[ESPTCP_A_BINDING_DADDR];

	if (!dir || !spi || !daddr) {
		NL_SET_ERR_MSG(info->extack,
			       "an SA is named by dir, spi and daddr");
		return -EINVAL;
	}
	if (nla_len(daddr) != 4 && nla_len(daddr) != 16) {
		NL_SET_ERR_MSG_ATTR(info->extack, daddr,
				    "an address has 4 or 16 octets");
		return -EINVAL;
	}
	if (!nla_get_be32(spi)) {
		NL_SET_ERR_MSG_ATTR(info->extack, spi, "an SPI is never 0");
		return -EINVAL;
	}

	memset(spec, 0, sizeof(*spec));
	spec->key.net = genl_info_net(info);
	spec->key.dir = nla_get_u32(dir);
	spec->key.spi = nla_get_be32(spi);
	spec->family = nla_len(daddr) == 16 ? AF_INET6 : AF_INET;
	nla_memcpy(&spec->daddr, daddr, sizeof(spec->daddr));
	return 0;
}

static bool spi_ambiguous(const struct esptcp_conn *conn,
			  const struct esptcp_binding *spec)
{
	return esptcp_framing(conn) == ESPTCP_FRAMING_FORTINET &&
	       spec->key.dir == ESPTCP_DIR_IN &&
	       esptcp_segment_spi_like_ike(spec->key.spi) &&
	       !esptcp_segment_told_apart(conn);
}

static int bind_locked(struct genl_info *info, struct esptcp_conn *conn,
		       const struct esptcp_binding *spec)
{
	int err;

	if (spec->family != conn->family) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[ESPTCP_A_BINDING_DADDR],
				    "the connection is of another address family");
		return -EAFNOSUPPORT;
	}
	if (spi_ambiguous(conn, spec)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[ESPTCP_A_BINDING_SPI],
				    "without TCP timestamps, an SPI that ends in 0000 passes for the length of an IKE message; negotiate another");
		return -EINVAL;
	}
	err = esptcp_binding_add(esptcp_net(genl_info_net(info)), conn, spec);
	if (err == -ENOTCONN)
		NL_SET_ERR_MSG(info->extack, "the connection is down");
	else if (err == -ENOSPC)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[ESPTCP_A_BINDING_DADDR],
				    "that SPI is bound to the connection for too many other addresses");
	return err;
}

int esptcp_nl_bind_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptcp_net *en = esptcp_net(genl_info_net(info));
	struct esptcp_binding spec;
	struct esptcp_conn *conn;
	int err;

	err = binding_spec(info, &spec);
	if (err)
		return err;
	conn = conn_of(info, ESPTCP_A_BINDING_CONN_ID, ESPTCP_A_BINDING_FD);
	if (IS_ERR(conn))
		return PTR_ERR(conn);

	mutex_lock(&en->lock);
	err = bind_locked(info, conn, &spec);
	mutex_unlock(&en->lock);
	esptcp_conn_put(conn);
	return err;
}

int esptcp_nl_unbind_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptcp_net *en = esptcp_net(genl_info_net(info));
	bool all = nla_get_flag(info->attrs[ESPTCP_A_BINDING_ALL]);
	struct esptcp_binding spec;
	int err;

	err = all ? 0 : binding_spec(info, &spec);
	if (err)
		return err;

	mutex_lock(&en->lock);
	if (all)
		esptcp_binding_del_all(en);
	else
		err = esptcp_binding_del(en, &spec);
	mutex_unlock(&en->lock);
	if (err)
		NL_SET_ERR_MSG(info->extack, "that SA is not bound");
	return err;
}

static int dump_binding(struct sk_buff *skb, struct netlink_callback *cb,
			const struct esptcp_binding *b)
{
	const struct esptcp_conn *conn = rcu_dereference(b->conn);
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &esptcp_nl_family, NLM_F_MULTI,
			  ESPTCP_CMD_BINDING_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (put_binding(skb, b, conn ? conn->id : 0)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/*
 * cb->args[0] is how many have been dumped. One that is removed in between
 * makes a later one be passed over; a listing need not be better than that.
 */
int esptcp_nl_binding_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct esptcp_net *en = esptcp_net(sock_net(skb->sk));
	const struct esptcp_binding *b;
	long i = 0;

	mutex_lock(&en->lock);
	rcu_read_lock();
	list_for_each_entry(b, &en->bindings, net_list) {
		if (i++ < cb->args[0])
			continue;
		if (dump_binding(skb, cb, b))
			break;
		cb->args[0] = i;
	}
	rcu_read_unlock();
	mutex_unlock(&en->lock);
	return skb->len;
}

int esptcp_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg;
	void *hdr;

	msg = reply_new(info, &hdr);
	if (!msg)
		return -ENOMEM;
	return reply_send(info, msg, hdr,
			  put_stats(msg, esptcp_net(genl_info_net(info)), NULL));
}

/**
 * esptcp_nl_init() - register the family
 *
 * Return: 0 or a negative errno
 */
int esptcp_nl_init(void)
{
	return esptcp_compat_genl_register(&esptcp_nl_family);
}

/**
 * esptcp_nl_exit() - undo esptcp_nl_init()
 */
void esptcp_nl_exit(void)
{
	genl_unregister_family(&esptcp_nl_family);
}
