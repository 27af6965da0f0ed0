// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings: which SA's packets travel in which connection.
 *
 * All bindings of all namespaces are in one table, hashed by namespace,
 * direction and SPI. It is changed under esptcp_net.lock and read under RCU.
 *
 * A binding outlives its connection. Until it is removed, its SA's packets
 * are ours to send or to drop: the hook in device.c takes them as long as
 * there is a binding, and each binding holds a reference to the module.
 */
#include <linux/jhash.h>
#include <linux/module.h>
#include <net/ipv6.h>
#include <net/netns/hash.h>

#include "binding.h"
#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "segment.h"

static struct rhltable table;

/* Both are inlined where packets are looked up, and cheaper than the generic. */
static u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct esptcp_binding_key *key = data;

	return jhash_3words((__force u32)key->spi, key->dir,
			    net_hash_mix(key->net), seed);
}

static int key_differs(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct esptcp_binding_key *key = arg->key;
	const struct esptcp_binding *b = obj;

	return b->key.spi != key->spi || b->key.dir != key->dir ||
	       b->key.net != key->net;
}

static const struct rhashtable_params table_params = {
	.key_len = sizeof(struct esptcp_binding_key),
	.key_offset = offsetof(struct esptcp_binding, key),
	.head_offset = offsetof(struct esptcp_binding, node),
	.hashfn = key_hash,
	.obj_cmpfn = key_differs,
	.automatic_shrinking = true,
};

static bool same_address(const struct esptcp_binding *b, u16 family,
			 const void *daddr)
{
	return b->family == family &&
	       !memcmp(&b->daddr, daddr, family == AF_INET6 ? 16 : 4);
}

/**
 * esptcp_binding_find_in() - find an inbound SA
 * @conn: the connection that a packet arrived on
 * @spi: its SPI
 *
 * The caller is under RCU.
 *
 * Return: the binding, or NULL if that SPI is not bound to that connection
 */
const struct esptcp_binding *
esptcp_binding_find_in(const struct esptcp_conn *conn, __be32 spi)
{
	struct esptcp_binding_key key = {
		.net = sock_net(conn->sk), .spi = spi, .dir = ESPTCP_DIR_IN,
	};
	const struct esptcp_binding *b;
	struct rhlist_head *list, *pos;

	list = rhltable_lookup(&table, &key, table_params);
	rhl_for_each_entry_rcu(b, pos, list, node)
		if (rcu_access_pointer(b->conn) == conn)
			return b;
	return NULL;
}

static struct esptcp_binding *binding_find(const struct esptcp_binding_key *key,
					   u16 family, const void *daddr)
{
	struct rhlist_head *list, *pos;
	struct esptcp_binding *b;

	list = rhltable_lookup(&table, key, table_params);
	rhl_for_each_entry_rcu(b, pos, list, node)
		if (same_address(b, family, daddr))
			return b;
	return NULL;
}

/**
 * esptcp_binding_find_out() - find an outbound SA
 * @net: the namespace
 * @family: AF_INET or AF_INET6
 * @daddr: the packet's destination address
 * @spi: its SPI
 *
 * The caller is under RCU.
 *
 * Return: the binding, with or without a connection, or NULL
 */
const struct esptcp_binding *
esptcp_binding_find_out(struct net *net, u16 family, const void *daddr,
			__be32 spi)
{
	struct esptcp_binding_key key = {
		.net = net, .spi = spi, .dir = ESPTCP_DIR_OUT,
	};

	return binding_find(&key, family, daddr);
}

static struct esptcp_binding *binding_find_spec(const struct esptcp_binding *spec)
{
	struct esptcp_binding *b;

	/* The caller's esptcp_net.lock keeps it. */
	rcu_read_lock();
	b = binding_find(&spec->key, spec->family, &spec->daddr);
	rcu_read_unlock();
	return b;
}

static void binding_set_conn(struct esptcp_binding *b, struct esptcp_conn *conn)
{
	struct esptcp_conn *old = rcu_dereference_protected(b->conn, true);

	if (old) {
		list_del(&b->conn_list);
		WRITE_ONCE(old->nbindings, old->nbindings - 1);
	}
	if (conn) {
		esptcp_segment_bind(b, conn);
		list_add_tail(&b->conn_list, &conn->bindings);
		WRITE_ONCE(conn->nbindings, conn->nbindings + 1);
	}
	rcu_assign_pointer(b->conn, conn);
}

static int binding_new(struct esptcp_net *en, struct esptcp_conn *conn,
		       const struct esptcp_binding *spec)
{
	struct esptcp_binding *b;
	int err;

	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	b = kmemdup(spec, sizeof(*spec), GFP_KERNEL_ACCOUNT);
	if (!b) {
		err = -ENOMEM;
		goto err_module;
	}
	RCU_INIT_POINTER(b->conn, NULL);
	err = esptcp_device_need(en);
	if (err)
		goto err_free;
	err = rhltable_insert(&table, &b->node, table_params);
	if (err)
		goto err_free;

	list_add_tail(&b->net_list, &en->bindings);
	binding_set_conn(b, conn);
	return 0;

err_free:
	kfree(b);
err_module:
	module_put(THIS_MODULE);
	return err;
}

/**
 * esptcp_binding_add() - bind an SA, or move it to another connection
 * @en: the namespace, locked
 * @conn: the connection
 * @spec: direction, SPI and destination address
 *
 * Return: 0 or a negative errno; -ENOTCONN if the connection is closed
 */
int esptcp_binding_add(struct esptcp_net *en, struct esptcp_conn *conn,
		       const struct esptcp_binding *spec)
{
	struct esptcp_binding *b;

	lockdep_assert_held(&en->lock);
	if (READ_ONCE(conn->state) == ESPTCP_STATE_DOWN)
		return -ENOTCONN;

	b = binding_find_spec(spec);
	if (!b)
		return binding_new(en, conn, spec);
	if (rcu_access_pointer(b->conn) != conn) {
		binding_set_conn(b, conn);
		esptcp_nl_rebind_event(en->net, b, conn->id);
	}
	return 0;
}

static void binding_free(struct esptcp_net *en, struct esptcp_binding *b)
{
	binding_set_conn(b, NULL);
	list_del(&b->net_list);
	rhltable_remove(&table, &b->node, table_params);
	kfree_rcu(b, rcu);
	module_put(THIS_MODULE);
}

/**
 * esptcp_binding_del() - unbind an SA
 * @en: the namespace, locked
 * @spec: direction, SPI and destination address
 *
 * Return: 0, or -ENOENT
 */
int esptcp_binding_del(struct esptcp_net *en, const struct esptcp_binding *spec)
{
	struct esptcp_binding *b;

	lockdep_assert_held(&en->lock);
	b = binding_find_spec(spec);
	if (!b)
		return -ENOENT;
	binding_free(en, b);
	return 0;
}

/**
 * esptcp_binding_del_all() - unbind every SA of a namespace
 * @en: the namespace, locked
 */
void esptcp_binding_del_all(struct esptcp_net *en)
{
	struct esptcp_binding *b, *tmp;

	lockdep_assert_held(&en->lock);
	list_for_each_entry_safe(b, tmp, &en->bindings, net_list)
		binding_free(en, b);
}

/**
 * esptcp_binding_move_all() - move all SAs of a connection to another
 * @from: the old connection
 * @to: the new one; both in the same namespace, which is locked
 */
void esptcp_binding_move_all(struct esptcp_conn *from, struct esptcp_conn *to)
{
	struct esptcp_binding *b, *tmp;

	list_for_each_entry_safe(b, tmp, &from->bindings, conn_list) {
		binding_set_conn(b, to);
		esptcp_nl_rebind_event(sock_net(to->sk), b, to->id);
	}
}

/**
 * esptcp_binding_sever() - leave the SAs of a connection without one
 * @conn: the connection, which is detached; its namespace is locked
 */
void esptcp_binding_sever(struct esptcp_conn *conn)
{
	struct esptcp_binding *b, *tmp;

	list_for_each_entry_safe(b, tmp, &conn->bindings, conn_list)
		binding_set_conn(b, NULL);
}

/**
 * esptcp_binding_net_exit() - forget the bindings of a dying namespace
 * @en: the namespace, in which nothing runs any more
 */
void esptcp_binding_net_exit(struct esptcp_net *en)
{
	mutex_lock(&en->lock);
	esptcp_binding_del_all(en);
	mutex_unlock(&en->lock);
}

/**
 * esptcp_binding_init() - make the table
 *
 * Return: 0 or a negative errno
 */
int esptcp_binding_init(void)
{
	return rhltable_init(&table, &table_params);
}

/**
 * esptcp_binding_exit() - free the table, which is empty
 */
void esptcp_binding_exit(void)
{
	rhltable_destroy(&table);
}
