/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_routes.h"

#include <daemon.h>
#include <collections/linked_list.h>
#include <threading/mutex.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/fib_rules.h>
#include <netlink/netlink.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>

/** The module's device */
#define DEVICE "esptcp0"

/** Who has installed our rules and routes, for all who see them */
#define PROTOCOL 45

/** Priority of charon's own rule, unless it is configured */
#define CHARON_PRIO 220

/** Priorities of our rules, from charon's: what leads ESP to the device, what
 * skips charon's table, and where that goes on */
#define PRIO_LARGE -2
#define PRIO_SKIP -1
#define PRIO_BEHIND 1

typedef struct private_esptcp_routes_t private_esptcp_routes_t;
typedef struct entry_t entry_t;

/**
 * Private data of an esptcp_routes_t object.
 */
struct private_esptcp_routes_t {

	/**
	 * Public esptcp_routes_t interface.
	 */
	esptcp_routes_t public;

	/**
	 * SAs that have a rule, as entry_t
	 */
	linked_list_t *entries;

	/**
	 * Routing netlink socket
	 */
	struct nl_sock *sock;

	/**
	 * Protects entries, keeps the kernel's rules in step with them, and has one
	 * request at a time use the socket
	 */
	mutex_t *mutex;

	/**
	 * Whether there are rules at all
	 */
	bool enabled;

	/**
	 * Priority of charon's rule
	 */
	uint32_t prio;
};

/**
 * An SA that has a rule.
 */
struct entry_t {
	/** SPI in network order */
	uint32_t spi;
	/** addresses of the SA */
	host_t *src, *dst;
	/** its ESP is led to the device */
	bool large;
};

/**
 * Destroy an entry.
 */
static void entry_destroy(entry_t *this)
{
	this->src->destroy(this->src);
	this->dst->destroy(this->dst);
	free(this);
}

CALLBACK(entry_is_of, bool,
	entry_t *this, va_list args)
{
	kernel_ipsec_sa_id_t *sa;

	VA_ARGS_VGET(args, sa);
	return this->spi == sa->spi && this->src->ip_equals(this->src, sa->src) &&
		   this->dst->ip_equals(this->dst, sa->dst);
}

/**
 * Set an address that a rule matches.
 *
 * @return				FALSE if there is no memory
 */
static bool set_address(struct rtnl_rule *rule, host_t *host,
						int (*set)(struct rtnl_rule*, struct nl_addr*))
{
	chunk_t bytes = host->get_address(host);
	struct nl_addr *addr;

	addr = nl_addr_build(host->get_family(host), bytes.ptr, bytes.len);
	if (addr)
	{
		set(rule, addr);
		nl_addr_put(addr);
	}
	return addr != NULL;
}

/**
 * Create a rule.
 *
 * @param offset		PRIO_*
 */
static struct rtnl_rule *create_rule(private_esptcp_routes_t *this, int family,
									 int offset)
{
	struct rtnl_rule *rule;

	rule = rtnl_rule_alloc();
	if (rule)
	{
		rtnl_rule_set_family(rule, family);
		rtnl_rule_set_protocol(rule, PROTOCOL);
		rtnl_rule_set_prio(rule, this->prio + offset);
		rtnl_rule_set_action(rule, FR_ACT_NOP);
	}
	return rule;
}

/**
 * Create a rule for packets of a protocol that leave this host. ESP in UDP is
 * UDP to the kernel.
 *
 * @param offset		PRIO_*
 */
static struct rtnl_rule *create_outgoing(private_esptcp_routes_t *this,
										 int family, int offset,
										 uint8_t protocol)
{
	struct rtnl_rule *rule;

	rule = create_rule(this, family, offset);
	if (rule)
	{
		rtnl_rule_set_iif(rule, "lo");
		rtnl_rule_set_ipproto(rule, protocol);
	}
	return rule;
}

/**
 * Create a rule by which such packets skip charon's table.
 */
static struct rtnl_rule *create_skip(private_esptcp_routes_t *this, int family,
									 uint8_t protocol)
{
	struct rtnl_rule *rule;

	rule = create_outgoing(this, family, PRIO_SKIP, protocol);
	if (rule)
	{
		rtnl_rule_set_action(rule, FR_ACT_GOTO);
		rtnl_rule_set_goto(rule, this->prio + PRIO_BEHIND);
	}
	return rule;
}

/**
 * Create a rule by which ESP takes the route by the device.
 */
static struct rtnl_rule *create_large(private_esptcp_routes_t *this, int family)
{
	struct rtnl_rule *rule;

	rule = create_outgoing(this, family, PRIO_LARGE, IPPROTO_ESP);
	if (rule)
	{
		rtnl_rule_set_action(rule, FR_ACT_TO_TBL);
		rtnl_rule_set_table(rule, ESPTCP_ROUTES_TABLE);
	}
	return rule;
}

/**
 * Create the rule of an SA.
 */
static struct rtnl_rule *create_entry_rule(private_esptcp_routes_t *this,
										   entry_t *entry)
{
	int family = entry->dst->get_family(entry->dst);
	struct rtnl_rule *rule;

	rule = entry->large ? create_large(this, family)
						: create_skip(this, family, IPPROTO_TCP);
	if (rule && (!set_address(rule, entry->src, rtnl_rule_set_src) ||
				 !set_address(rule, entry->dst, rtnl_rule_set_dst)))
	{
		rtnl_rule_put(rule);
		return NULL;
	}
	return rule;
}

/**
 * Create the route by the device.
 *
 * @param index			number of the device, 0 for any
 */
static struct rtnl_route *create_route(int family, int index)
{
	struct rtnl_route *route;
	struct rtnl_nexthop *hop;
	struct nl_addr *all = NULL;

	route = rtnl_route_alloc();
	hop = rtnl_route_nh_alloc();
	if (!route || !hop || nl_addr_parse("default", family, &all))
	{
		rtnl_route_put(route);
		free(hop);
		return NULL;
	}
	rtnl_route_set_family(route, family);
	rtnl_route_set_table(route, ESPTCP_ROUTES_TABLE);
	rtnl_route_set_protocol(route, PROTOCOL);
	rtnl_route_set_dst(route, all);
	nl_addr_put(all);
	rtnl_route_nh_set_ifindex(hop, index);
	rtnl_route_add_nexthop(route, hop);
	return route;
}

/**
 * Add the route by the device, which exists since an SA was bound. It is new
 * if the kernel module was loaded again since we did so.
 *
 * @return				0 or an error of libnl
 */
static int add_route(private_esptcp_routes_t *this, int family)
{
	struct rtnl_route *route;
	int status = -NLE_NOMEM;

	route = create_route(family, if_nametoindex(DEVICE));
	if (route)
	{
		status = rtnl_route_add(this->sock, route, NLM_F_REPLACE);
		rtnl_route_put(route);
	}
	return status;
}

/**
 * Add a rule, which is put. The kernel counts equal ones.
 *
 * @return				0 or an error of libnl
 */
static int add_rule(private_esptcp_routes_t *this, struct rtnl_rule *rule)
{
	int status = -NLE_NOMEM;

	if (rule)
	{
		status = rtnl_rule_add(this->sock, rule, 0);
		rtnl_rule_put(rule);
	}
	return status;
}

/**
 * Create the rule by which what charon's UDP port for ESP sends skips charon's
 * table.
 */
static struct rtnl_rule *create_skip_udp(private_esptcp_routes_t *this,
										 int family)
{
	struct rtnl_rule *rule;

	rule = create_skip(this, family, IPPROTO_UDP);
	if (rule)
	{
		rtnl_rule_set_sport(rule,
							charon->socket->get_port(charon->socket, TRUE));
	}
	return rule;
}

/**
 * Add the rules by which ESP of other SAs, and ESP in UDP, skip charon's table.
 *
 * @return				0 or an error of libnl
 */
static int add_skips(private_esptcp_routes_t *this, int family)
{
	return add_rule(this, create_rule(this, family, PRIO_BEHIND)) ?:
		   add_rule(this, create_skip(this, family, IPPROTO_ESP)) ?:
		   add_rule(this, create_skip_udp(this, family));
}

/**
 * Add the rule of an SA, and what it needs.
 */
static void add_entry(private_esptcp_routes_t *this, entry_t *entry)
{
	int status = 0;

	if (entry->large)
	{
		status = add_route(this, entry->dst->get_family(entry->dst));
	}
	status = status ?: add_rule(this, create_entry_rule(this, entry));
	if (status)
	{
		DBG1(DBG_KNL, "esptcp: the routing rule for ESP from %H to %H failed: "
			 "%s. large_packets needs CAP_NET_ADMIN, a kernel with "
			 "IP_MULTIPLE_TABLES, and IPv6 enabled on " DEVICE " for IPv6",
			 entry->src, entry->dst, nl_geterror(status));
	}
}

/**
 * Delete the rule of an SA.
 */
static void delete_entry(private_esptcp_routes_t *this, entry_t *entry)
{
	struct rtnl_rule *rule;
	int status = -NLE_NOMEM;

	rule = create_entry_rule(this, entry);
	if (rule)
	{
		status = rtnl_rule_delete(this->sock, rule, 0);
		rtnl_rule_put(rule);
	}
	if (status)
	{
		DBG1(DBG_KNL, "esptcp: removing the routing rule for ESP from %H to %H "
			 "failed: %s", entry->src, entry->dst, nl_geterror(status));
	}
}

METHOD(esptcp_routes_t, add, void,
	private_esptcp_routes_t *this, uint32_t spi, host_t *src, host_t *dst,
	bool large)
{
	entry_t *entry;

	if (!this->enabled)
	{
		return;
	}
	INIT(entry,
		.spi = spi,
		.src = src->clone(src),
		.dst = dst->clone(dst),
		.large = large,
	);
	this->mutex->lock(this->mutex);
	add_entry(this, entry);
	this->entries->insert_last(this->entries, entry);
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_routes_t, move, void,
	private_esptcp_routes_t *this, kernel_ipsec_sa_id_t *sa, host_t *src,
	host_t *dst)
{
	entry_t *entry, old;

	this->mutex->lock(this->mutex);
	if (this->entries->find_first(this->entries, entry_is_of, (void**)&entry,
								  sa))
	{
		old = *entry;
		entry->src = src->clone(src);
		entry->dst = dst->clone(dst);
		add_entry(this, entry);
		delete_entry(this, &old);
		old.src->destroy(old.src);
		old.dst->destroy(old.dst);
	}
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_routes_t, remove_, void,
	private_esptcp_routes_t *this, kernel_ipsec_sa_id_t *sa)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	if (this->entries->find_first(this->entries, entry_is_of, (void**)&entry,
								  sa))
	{
		this->entries->remove(this->entries, entry, NULL);
		delete_entry(this, entry);
		entry_destroy(entry);
	}
	this->mutex->unlock(this->mutex);
}

/**
 * Remove a rule that the kernel has, if it is one of ours.
 */
static void flush_rule(struct nl_object *object, void *data)
{
	private_esptcp_routes_t *this = data;
	struct rtnl_rule *rule = (struct rtnl_rule*)object;
	uint8_t protocol;

	if (rtnl_rule_get_protocol(rule, &protocol) == 0 && protocol == PROTOCOL)
	{
		rtnl_rule_delete(this->sock, rule, 0);
	}
}

/**
 * Remove all that is ours from the kernel.
 */
static void flush(private_esptcp_routes_t *this)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct rtnl_route *route;
	struct nl_cache *rules;
	int i;

	for (i = 0; i < countof(families); i++)
	{
		if (rtnl_rule_alloc_cache(this->sock, families[i], &rules) == 0)
		{
			nl_cache_foreach(rules, flush_rule, this);
			nl_cache_free(rules);
		}
		route = create_route(families[i], 0);
		if (route)
		{
			rtnl_route_delete(this->sock, route, 0);
			rtnl_route_put(route);
		}
	}
}

METHOD(esptcp_routes_t, destroy, void,
	private_esptcp_routes_t *this)
{
	flush(this);
	nl_socket_free(this->sock);
	this->entries->destroy_function(this->entries, (void*)entry_destroy);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_routes_t *esptcp_routes_create(bool enabled)
{
	private_esptcp_routes_t *this;
	struct nl_sock *sock;
	int status;

	sock = nl_socket_alloc();
	status = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;
	if (status < 0)
	{
		DBG1(DBG_KNL, "esptcp: opening a routing netlink socket failed: %s",
			 nl_geterror(status));
		nl_socket_free(sock);
		return NULL;
	}

	INIT(this,
		.public = {
			.add = _add,
			.move = _move,
			.remove = _remove_,
			.destroy = _destroy,
		},
		.entries = linked_list_create(),
		.sock = sock,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
		.enabled = enabled,
		.prio = lib->settings->get_int(lib->settings, "%s.routing_table_prio",
									   CHARON_PRIO, lib->ns),
	);

	flush(this);
	if (enabled)
	{
		status = add_skips(this, AF_INET);
		/* there may be no IPv6 */
		add_skips(this, AF_INET6);
		if (status)
		{
			DBG1(DBG_KNL, "esptcp: routing rules for large_packets failed: %s",
				 nl_geterror(status));
		}
	}
	return &this->public;
}
