// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings: which SA's packets travel in which connection.
 *
 * All bindings of all namespaces are in one table, by all that names an SA; those
 * of inbound SAs that have a connection are in a second one, by connection and
 * SPI. Both have a secret seed, and rehash with another one when a chain gets
 * long. So a lookup takes the same time whatever the root of some namespace has
 * bound. The tables are changed under esptcp_net.lock and read under RCU.
 *
 * A binding outlives its connection. Until it is removed, its SA's packets
 * are ours to send or to drop: the hook in device.c takes them as long as
 * there is a binding, and each binding holds a reference to the module. That of
 * an outbound SA stays in the table for some time after it is removed, without a
 * connection: a cipher that is asynchronous may still return packets, which must
 * not leave bare when the SA is gone. If the SA is used again, it goes on as
 * plain ESP.
 */
#include <linux/delay.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <net/ipv6.h>
#include <net/netns/hash.h>

#include "binding.h"
#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "segment.h"

/*
 * Addresses for which an SPI can be bound to one connection: one, and others for
 * a moment while the SA gets another address. Their list is walked.
 */
#define ADDRESSES_MAX	16

/* How long packets of an SA that is gone may come back from its cipher */
#define RETIRED_TIME	(60 * HZ)
/* How long removing the module waits for them */
#define RETIRED_WAIT	(2 * HZ)
/* How many of them a namespace may have */
#define RETIRED_MAX	4096

/**
 * struct sa_key - what names an SA
 * @net: the namespace
 * @daddr: destination address
 * @spi: SPI
 * @dir: enum esptcp_dir
 * @family: AF_INET or AF_INET6
 */
struct sa_key {
	const struct net *net;
	const void *daddr;
	__be32 spi;
	u32 dir;
	u16 family;
};

/**
 * struct arrival_key - what is known of a packet that arrives
 * @conn: the connection
 * @spi: SPI
 */
struct arrival_key {
	const struct esptcp_conn *conn;
	__be32 spi;
};

static struct rhashtable sas;
static struct rhltable arrivals;

/* When the last binding was removed, jiffies, or 0 */
static u64 last_retired;

static struct sa_key key_of(const struct esptcp_binding *b)
{
	return (struct sa_key){
		.net = b->key.net, .daddr = &b->daddr, .spi = b->key.spi,
		.dir = b->key.dir, .family = b->family,
	};
}

static u32 sa_hash(const void *data, u32 len, u32 seed)
{
	const struct sa_key *key = data;
	u32 addr;

	if (key->family == AF_INET6)
		addr = jhash2(key->daddr, sizeof(struct in6_addr) / 4, seed);
	else
		addr = *(const u32 *)key->daddr;
	return jhash_3words((__force u32)key->spi, addr,
			    net_hash_mix(key->net) ^ key->dir, seed);
}

static u32 sa_obj_hash(const void *obj, u32 len, u32 seed)
{
	struct sa_key key = key_of(obj);

	return sa_hash(&key, len, seed);
}

static bool same_address(const struct esptcp_binding *b, u16 family,
			 const void *daddr)
{
	return b->family == family &&
	       !memcmp(&b->daddr, daddr, family == AF_INET6 ? 16 : 4);
}

static int sa_differs(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct sa_key *key = arg->key;
	const struct esptcp_binding *b = obj;

	return b->key.spi != key->spi || b->key.dir != key->dir ||
	       b->key.net != key->net ||
	       !same_address(b, key->family, key->daddr);
}

static const struct rhashtable_params sa_params = {
	.head_offset = offsetof(struct esptcp_binding, node),
	.hashfn = sa_hash,
	.obj_hashfn = sa_obj_hash,
	.obj_cmpfn = sa_differs,
	.automatic_shrinking = true,
};

static u32 arrival_hash(const void *data, u32 len, u32 seed)
{
	const struct arrival_key *key = data;
	u64 conn = (unsigned long)key->conn;

	return jhash_3words((__force u32)key->spi, lower_32_bits(conn),
			    upper_32_bits(conn), seed);
}

/* While a binding is in the table, its connection does not change. */
static struct arrival_key arrival_of(const struct esptcp_binding *b)
{
	return (struct arrival_key){
		.conn = rcu_access_pointer(b->conn), .spi = b->key.spi,
	};
}

static u32 arrival_obj_hash(const void *obj, u32 len, u32 seed)
{
	struct arrival_key key = arrival_of(obj);

	return arrival_hash(&key, len, seed);
}

static int arrival_differs(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct arrival_key *key = arg->key;
	const struct esptcp_binding *b = obj;

	return b->key.spi != key->spi || rcu_access_pointer(b->conn) != key->conn;
}

static const struct rhashtable_params arrival_params = {
	.head_offset = offsetof(struct esptcp_binding, arrival),
	.hashfn = arrival_hash,
	.obj_hashfn = arrival_obj_hash,
	.obj_cmpfn = arrival_differs,
	.automatic_shrinking = true,
};

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
	struct arrival_key key = { .conn = conn, .spi = spi };
	const struct esptcp_binding *b;
	struct rhlist_head *list;

	list = rhltable_lookup(&arrivals, &key, arrival_params);
	return list ? container_of(list, typeof(*b), arrival) : NULL;
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
 * Return: the binding, with or without a connection, or NULL. A retired one has
 *	none.
 */
const struct esptcp_binding *
esptcp_binding_find_out(struct net *net, u16 family, const void *daddr,
			__be32 spi)
{
	struct sa_key key = {
		.net = net, .daddr = daddr, .spi = spi, .dir = ESPTCP_DIR_OUT,
		.family = family,
	};

	return rhashtable_lookup(&sas, &key, sa_params);
}

static struct esptcp_binding *binding_find_spec(const struct esptcp_binding *spec)
{
	struct sa_key key = key_of(spec);

	/* The caller's esptcp_net.lock keeps it. */
	return rhashtable_lookup_fast(&sas, &key, sa_params);
}

/**
 * esptcp_binding_is_over() - whether ESP of an SA is none of our business
 * @b: the binding, under RCU
 *
 * Return: true if it is retired, and the SA is used again or long gone
 */
bool esptcp_binding_is_over(const struct esptcp_binding *b)
{
	unsigned long retired = READ_ONCE(b->retired);

	return retired && (READ_ONCE(b->released) ||
			   time_after(jiffies, retired + RETIRED_TIME));
}

static void sa_release(struct net *net, const struct xfrm_state *x)
{
	struct sa_key key = {
		.net = net, .daddr = &x->id.daddr, .spi = x->id.spi,
		.dir = ESPTCP_DIR_OUT, .family = x->props.family,
	};
	struct esptcp_binding *b = rhashtable_lookup(&sas, &key, sa_params);

	if (!b || !READ_ONCE(b->retired))
		return;
	/* An SA is deleted before it is unbound: it has to be alive after that. */
	smp_rmb();
	if (READ_ONCE(x->km.state) == XFRM_STATE_VALID)
		WRITE_ONCE(b->released, true);
}

/**
 * esptcp_binding_release() - let SAs that are not bound any more go their way
 * @net: the namespace
 * @dst: a route with SAs that a packet is about to use
 *
 * The caller is under RCU.
 */
void esptcp_binding_release(struct net *net, const struct dst_entry *dst)
{
	if (!READ_ONCE(esptcp_net(net)->nretired))
		return;
	for (; dst && dst_xfrm(dst); dst = xfrm_dst_child(dst))
		if (dst_xfrm(dst)->id.proto == IPPROTO_ESP)
			sa_release(net, dst_xfrm(dst));
}

/* Whether an SPI cannot be bound to a connection for one more address. */
static bool binding_is_one_too_many(const struct esptcp_conn *conn,
				    const struct esptcp_binding *spec)
{
	struct arrival_key key = { .conn = conn, .spi = spec->key.spi };
	struct rhlist_head *list, *pos;
	int n = 0;

	if (spec->key.dir != ESPTCP_DIR_IN)
		return false;
	rcu_read_lock();
	list = rhltable_lookup(&arrivals, &key, arrival_params);
	rhl_for_each_rcu(pos, list)
		n++;
	rcu_read_unlock();
	return n >= ADDRESSES_MAX;
}

/* Out of the table first: it is found there by its connection. */
static void binding_leave(struct esptcp_binding *b)
{
	struct esptcp_conn *conn = rcu_dereference_protected(b->conn, true);

	if (!conn)
		return;
	if (b->key.dir == ESPTCP_DIR_IN)
		rhltable_remove(&arrivals, &b->arrival, arrival_params);
	list_del(&b->conn_list);
	WRITE_ONCE(conn->nbindings, conn->nbindings - 1);
}

static void binding_sever(struct esptcp_binding *b)
{
	binding_leave(b);
	RCU_INIT_POINTER(b->conn, NULL);
}

/*
 * An outbound SA always has the one connection or the other, an inbound one none
 * in between.
 * Return: 0 or a negative errno, when the SA is left without a connection
 */
static int binding_set_conn(struct esptcp_binding *b, struct esptcp_conn *conn)
{
	struct arrival_key key = { .conn = conn, .spi = b->key.spi };
	int err = 0;

	binding_leave(b);
	esptcp_segment_bind(b, conn);
	rcu_assign_pointer(b->conn, conn);
	if (b->key.dir == ESPTCP_DIR_IN)
		err = rhltable_insert_key(&arrivals, &key, &b->arrival,
					  arrival_params);
	if (err) {
		RCU_INIT_POINTER(b->conn, NULL);
		return err;
	}
	list_add_tail(&b->conn_list, &conn->bindings);
	WRITE_ONCE(conn->nbindings, conn->nbindings + 1);
	set_bit(ESPTCP_F_BOUND, &conn->flags);
	return 0;
}

static void binding_forget(struct esptcp_binding *b)
{
	list_del(&b->net_list);
	rhashtable_remove_fast(&sas, &b->node, sa_params);
	kfree_rcu(b, rcu);
}

/* Forget those that are over, and the oldest if there are more than @max. */
static void retired_forget(struct esptcp_net *en, unsigned int max)
{
	struct esptcp_binding *b, *tmp;

	list_for_each_entry_safe(b, tmp, &en->retired, net_list) {
		if (en->nretired <= max && !esptcp_binding_is_over(b))
			break;
		binding_forget(b);
		WRITE_ONCE(en->nretired, en->nretired - 1);
	}
}

static void binding_retire(struct esptcp_net *en, struct esptcp_binding *b)
{
	last_retired = get_jiffies_64();
	WRITE_ONCE(b->retired, jiffies ?: 1);
	list_move_tail(&b->net_list, &en->retired);
	WRITE_ONCE(en->nretired, en->nretired + 1);
}

/* An SA with the same name is bound. */
static int binding_revive(struct esptcp_net *en, struct esptcp_binding *b)
{
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	WRITE_ONCE(b->released, false);
	WRITE_ONCE(b->retired, 0);
	list_move_tail(&b->net_list, &en->bindings);
	WRITE_ONCE(en->nretired, en->nretired - 1);
	return 0;
}

static void binding_free(struct esptcp_net *en, struct esptcp_binding *b)
{
	binding_sever(b);
	retired_forget(en, RETIRED_MAX);
	if (b->key.dir == ESPTCP_DIR_OUT)
		binding_retire(en, b);
	else
		binding_forget(b);
	module_put(THIS_MODULE);
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
	err = rhashtable_insert_fast(&sas, &b->node, sa_params);
	if (err)
		goto err_free;

	list_add_tail(&b->net_list, &en->bindings);
	err = binding_set_conn(b, conn);
	if (err)
		binding_free(en, b);
	return err;

err_free:
	kfree(b);
err_module:
	module_put(THIS_MODULE);
	return err;
}

static int binding_again(struct esptcp_net *en, struct esptcp_conn *conn,
			 struct esptcp_binding *b)
{
	int err = binding_revive(en, b);

	if (err)
		return err;
	err = binding_set_conn(b, conn);
	if (err)
		binding_free(en, b);
	return err;
}

/**
 * esptcp_binding_add() - bind an SA, or move it to another connection
 * @en: the namespace, locked
 * @conn: the connection
 * @spec: direction, SPI and destination address
 *
 * Return: 0 or a negative errno; -ENOTCONN if the connection is closed, -ENOSPC
 *	if the SPI is bound to it for too many other addresses
 */
int esptcp_binding_add(struct esptcp_net *en, struct esptcp_conn *conn,
		       const struct esptcp_binding *spec)
{
	struct esptcp_binding *b;
	int err;

	lockdep_assert_held(&en->lock);
	if (READ_ONCE(conn->state) == ESPTCP_STATE_DOWN)
		return -ENOTCONN;

	b = binding_find_spec(spec);
	if (b && rcu_access_pointer(b->conn) == conn)
		return 0;
	if (binding_is_one_too_many(conn, spec))
		return -ENOSPC;
	if (!b)
		return binding_new(en, conn, spec);
	if (b->retired)
		return binding_again(en, conn, b);
	err = binding_set_conn(b, conn);
	if (!err)
		esptcp_nl_rebind_event(en->net, b, conn->id);
	return err;
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
	if (!b || b->retired)
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
		if (!binding_set_conn(b, to))
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
		binding_sever(b);
}

/**
 * esptcp_binding_net_exit() - forget the bindings of a dying namespace
 * @en: the namespace, in which nothing runs any more
 */
void esptcp_binding_net_exit(struct esptcp_net *en)
{
	mutex_lock(&en->lock);
	esptcp_binding_del_all(en);
	retired_forget(en, 0);
	mutex_unlock(&en->lock);
}

/**
 * esptcp_binding_wait() - wait for packets of SAs that were bound lately
 *
 * The module goes, and with it the hook that would drop what comes back from an
 * asynchronous cipher.
 */
void esptcp_binding_wait(void)
{
	while (last_retired &&
	       time_before64(get_jiffies_64(), last_retired + RETIRED_WAIT))
		msleep(20);
}

/**
 * esptcp_binding_init() - make the tables
 *
 * Return: 0 or a negative errno
 */
int esptcp_binding_init(void)
{
	int err = rhashtable_init(&sas, &sa_params);

	if (err)
		return err;
	err = rhltable_init(&arrivals, &arrival_params);
	if (err)
		rhashtable_destroy(&sas);
	return err;
}

/**
 * esptcp_binding_exit() - free the tables, which are empty
 */
void esptcp_binding_exit(void)
{
	rhltable_destroy(&arrivals);
	rhashtable_destroy(&sas);
}
