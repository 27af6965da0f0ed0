// SPDX-License-Identifier: GPL-2.0
/*
 * Connections with the fortinet framing, by their addresses and ports: their
 * ESP has to be found before TCP looks for the socket.
 *
 * One table for all namespaces, changed in process context, read under RCU.
 * Two connections may have the same tuple, when the owner of an old one has
 * not closed it yet; only one of them is up.
 */
#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netns/hash.h>

#include "tuple.h"

static struct rhltable table;

static u32 address_hash(const xfrm_address_t *a, u32 family, u32 seed)
{
	return family == AF_INET6 ? __ipv6_addr_jhash(&a->in6, seed) :
				    (__force u32)a->a4;
}

/* Every TCP packet that comes in is looked up, also those of other sockets. */
static u32 tuple_hash(const void *data, u32 len, u32 seed)
{
	const struct esptcp_tuple *tuple = data;
	u32 ports = (__force u32)tuple->remote_port << 16 |
		    (__force u32)tuple->local_port;

	return jhash_3words(address_hash(&tuple->remote, tuple->family, seed),
			    address_hash(&tuple->local, tuple->family, seed) ^
			    net_hash_mix(tuple->net), ports, seed);
}

static int tuple_differs(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct esptcp_tuple *b = &((const struct esptcp_conn *)obj)->segments.tuple;
	const struct esptcp_tuple *a = arg->key;

	return a->remote_port != b->remote_port ||
	       a->local_port != b->local_port ||
	       a->family != b->family || a->net != b->net ||
	       !xfrm_addr_equal(&a->remote, &b->remote, a->family) ||
	       !xfrm_addr_equal(&a->local, &b->local, a->family);
}

static const struct rhashtable_params table_params = {
	.key_len = sizeof(struct esptcp_tuple),
	.key_offset = offsetof(struct esptcp_conn, segments.tuple),
	.head_offset = offsetof(struct esptcp_conn, segments.node),
	.hashfn = tuple_hash,
	.obj_cmpfn = tuple_differs,
	.automatic_shrinking = true,
};

/*
 * Whether TCP would give a packet to the connection's socket. A packet for a
 * VRF comes by twice: by its own device, as here, and then by the VRF's; where
 * nothing must be found that was not found before.
 */
static bool comes_by(const struct esptcp_conn *conn,
		     const struct net_device *dev)
{
	int vrf = l3mdev_master_ifindex_rcu(dev);

	return inet_sk_bound_dev_eq(sock_net(conn->sk),
				    READ_ONCE(conn->sk->sk_bound_dev_if),
				    vrf ?: dev->ifindex,
				    vrf ? dev->ifindex : 0);
}

/**
 * esptcp_tuple_find() - find the connection to which a packet belongs
 * @tuple: addresses and ports
 * @dev: the device by which the packet came in
 *
 * The caller is under RCU.
 *
 * Return: the connection, which is up, or NULL
 */
struct esptcp_conn *esptcp_tuple_find(const struct esptcp_tuple *tuple,
				      const struct net_device *dev)
{
	struct rhlist_head *list, *pos;
	struct esptcp_conn *conn;

	list = rhltable_lookup(&table, tuple, table_params);
	rhl_for_each_entry_rcu(conn, pos, list, segments.node)
		if (READ_ONCE(conn->state) == ESPTCP_STATE_UP &&
		    comes_by(conn, dev))
			return conn;
	return NULL;
}

/**
 * esptcp_tuple_add() - let a connection be found
 * @conn: the connection, all of whose members are set
 *
 * Return: 0 or a negative errno
 */
int esptcp_tuple_add(struct esptcp_conn *conn)
{
	struct esptcp_tuple *tuple = &conn->segments.tuple;
	const struct inet_sock *inet = inet_sk(conn->sk);

	tuple->net = sock_net(conn->sk);
	tuple->family = conn->family;
	tuple->local = conn->local;
	tuple->remote = conn->remote;
	tuple->local_port = inet->inet_sport;
	tuple->remote_port = inet->inet_dport;
	return rhltable_insert(&table, &conn->segments.node, table_params);
}

/**
 * esptcp_tuple_del() - undo esptcp_tuple_add()
 * @conn: the connection, still used by readers until an RCU grace period ends
 */
void esptcp_tuple_del(struct esptcp_conn *conn)
{
	rhltable_remove(&table, &conn->segments.node, table_params);
}

/**
 * esptcp_tuple_init() - make the table
 *
 * Return: 0 or a negative errno
 */
int esptcp_tuple_init(void)
{
	return rhltable_init(&table, &table_params);
}

/**
 * esptcp_tuple_exit() - free the table, which is empty
 */
void esptcp_tuple_exit(void)
{
	rhltable_destroy(&table);
}
