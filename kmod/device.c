// SPDX-License-Identifier: GPL-2.0
/*
 * The esptcp device: where XFRM's ESP leaves the IP stack and enters TCP.
 *
 * From a namespace's first binding on, a LOCAL_OUT hook sends ESP of bound SAs
 * to this device instead of the one that routing chose. Handing packets to a
 * device lets the stack do what plain ESP needs behind the hook: segment,
 * encrypt in software, resume after asynchronous crypto. It is also where an
 * operator runs tcpdump. As long as nobody looks at it, output.c has large
 * packets pass it by.
 *
 * A packet that is encrypted behind the hook may come back at any time later,
 * and has only a pointer to the device: a route of its own holds the device for
 * it.
 *
 * The hook and ndo_start_xmit run with bottom halves disabled, or the hook in
 * process context under RCU. Making and removing the device is under
 * esptcp_net.lock and RTNL.
 */
#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/addrconf.h>
#include <net/esp.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "binding.h"
#include "device.h"
#include "segment_tx.h"
#include "stats.h"
#include "tx.h"

/**
 * struct esp_packet - where the ESP header of a packet is, and whose it is
 * @family: AF_INET or AF_INET6
 * @daddr: destination address, in the packet
 * @offset: of the ESP header, from the network header
 * @spi: the SPI
 * @fragment: the packet is an IPv4 fragment. XFRM makes such ones in transport
 *	mode, if it is given some; nobody can decrypt them.
 */
struct esp_packet {
	u16 family;
	const void *daddr;
	int offset;
	__be32 spi;
	bool fragment;
};

/**
 * struct device_priv - what the device has of its own
 * @hold: a route that has a reference to the device; set once
 */
struct device_priv {
	struct dst_entry *hold;
};

static bool parse_ipv4(const struct sk_buff *skb, struct esp_packet *esp)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_ESP)
		return false;
	esp->fragment = ip_is_fragment(iph);
	esp->family = AF_INET;
	esp->daddr = &iph->daddr;
	esp->offset = ip_hdrlen(skb);
	return true;
}

static bool parse_ipv6(const struct sk_buff *skb, struct esp_packet *esp)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	u8 nexthdr = ip6h->nexthdr;
	int offset = sizeof(*ip6h);
	__be16 frag_off = 0;

	if (nexthdr != IPPROTO_ESP) {
		offset = ipv6_skip_exthdr(skb, skb_network_offset(skb) + offset,
					  &nexthdr, &frag_off);
		offset -= skb_network_offset(skb);
	}
	if (offset < 0 || frag_off || nexthdr != IPPROTO_ESP)
		return false;
	esp->fragment = false;
	esp->family = AF_INET6;
	esp->daddr = &ip6h->daddr;
	esp->offset = offset;
	return true;
}

/* Both callers have the IP header in the linear part. */
static bool parse_esp(const struct sk_buff *skb, struct esp_packet *esp)
{
	const __be32 *spi;
	__be32 buf;

	switch (skb->protocol) {
	case htons(ETH_P_IP):
		if (!parse_ipv4(skb, esp))
			return false;
		break;
	case htons(ETH_P_IPV6):
		if (!parse_ipv6(skb, esp))
			return false;
		break;
	default:
		return false;
	}
	spi = skb_header_pointer(skb, skb_network_offset(skb) + esp->offset,
				 sizeof(buf), &buf);
	if (!spi)
		return false;
	esp->spi = *spi;
	return true;
}

/* The device, if it is up; the packet is dropped if not. */
static struct net_device *device_running(struct net *net, struct sk_buff *skb)
{
	struct net_device *dev = rcu_dereference(esptcp_net(net)->dev);

	if (dev && netif_running(dev))
		return dev;
	esptcp_drop(net, NULL, skb, ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN);
	return NULL;
}

/**
 * esptcp_device_sent() - count what was sent without passing the device
 * @net: the namespace
 * @packets: ESP packets
 * @bytes: octets in them and in their IP headers
 *
 * The caller is under RCU, with bottom halves disabled.
 */
void esptcp_device_sent(struct net *net, unsigned int packets,
			unsigned int bytes)
{
	struct net_device *dev = rcu_dereference(esptcp_net(net)->dev);

	if (dev)
		dev_sw_netstats_tx_add(dev, packets, bytes);
}

/**
 * esptcp_device_unwatched() - whether packets need not pass the device
 * @net: the namespace
 *
 * The caller is under RCU. A device without a queue has a qdisc that takes
 * nothing.
 *
 * Return: true if it is up, and no capture, tc or netfilter hook looks at it
 */
bool esptcp_device_unwatched(struct net *net)
{
	struct net_device *dev = rcu_dereference(esptcp_net(net)->dev);
	const struct netdev_queue *txq;

	if (!dev || !netif_running(dev))
		return false;
	txq = netdev_get_tx_queue(dev, 0);
	return !dev_nit_active(dev) && !rcu_dereference(txq->qdisc)->enqueue &&
	       !esptcp_compat_dev_has_egress(dev);
}

static struct dst_entry *device_hold(struct net_device *dev)
{
	const struct device_priv *priv = netdev_priv(dev);

	return priv->hold;
}

static unsigned int device_hook(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	const struct esptcp_binding *b;
	struct net_device *dev;
	struct esp_packet esp;

	if (!parse_esp(skb, &esp))
		return NF_ACCEPT;
	b = esptcp_binding_find_out(state->net, esp.family, esp.daddr, esp.spi);
	if (!b || esptcp_binding_is_over(b))
		return NF_ACCEPT;
	dev = device_running(state->net, skb);
	if (!dev)
		return NF_STOLEN;
	skb_dst_drop(skb);
	if (xfrm_offload(skb))
		skb_dst_set(skb, dst_clone(device_hold(dev)));
	skb->dev = dev;
	dev_queue_xmit(skb);
	return NF_STOLEN;
}

/* First of all: connection tracking has no business with these. */
static const struct nf_hook_ops device_hooks[] = {
	{
		.hook = device_hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FIRST + 1,
	},
	{
		.hook = device_hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_FIRST + 1,
	},
};

/* Return: 0 if the packet was taken, or the reason why it has to be dropped. */
static int device_send(struct sk_buff *skb, struct net *net,
		       struct esptcp_conn **conn)
{
	const struct esptcp_binding *b;
	struct esp_packet esp;

	if (xfrm_offload(skb)) {
		net_warn_ratelimited("esptcp: XFRM handed over a packet that it has not encrypted\n");
		return ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED;
	}
	if (!parse_esp(skb, &esp))
		return ESPTCP_A_STATS_TX_DROP_NOT_ESP;
	b = esptcp_binding_find_out(net, esp.family, esp.daddr, esp.spi);
	if (!b || READ_ONCE(b->retired))
		return ESPTCP_A_STATS_TX_DROP_UNBOUND;
	*conn = rcu_dereference(b->conn);
	if (!*conn)
		return ESPTCP_A_STATS_TX_DROP_NO_CONN;
	if (skb->sk == (*conn)->sk)
		return ESPTCP_A_STATS_TX_DROP_LOOP;
	if (esp.fragment ||
	    !pskb_may_pull(skb, skb_network_offset(skb) + esp.offset +
				ESPTCP_MIN_ESP))
		return ESPTCP_A_STATS_TX_DROP_NOT_ESP;

	__skb_pull(skb, skb_network_offset(skb));
	if (esptcp_framing(*conn) == ESPTCP_FRAMING_FORTINET) {
		esptcp_segment_tx(net, b, *conn, skb, esp.offset);
		return 0;
	}
	__skb_pull(skb, esp.offset);
	skb_dst_drop(skb);
	esptcp_tx_esp(net, *conn, skb);
	return 0;
}

static netdev_tx_t device_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct esptcp_conn *conn = NULL;
	unsigned int len = skb->len;
	int reason;

	rcu_read_lock();
	if (!pskb_inet_may_pull(skb))
		reason = ESPTCP_A_STATS_TX_DROP_NOT_ESP;
	else
		reason = device_send(skb, dev_net(dev), &conn);
	if (reason) {
		DEV_STATS_INC(dev, tx_dropped);
		esptcp_drop(dev_net(dev), conn, skb, reason);
	} else {
		dev_sw_netstats_tx_add(dev, 1, len);
	}
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

static int device_init(struct net_device *dev)
{
	struct device_priv *priv = netdev_priv(dev);
	struct rtable *rt = rt_dst_alloc(dev, 0, RTN_UNICAST, true);

	if (!rt)
		return -ENOMEM;
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats) {
		dst_release(&rt->dst);
		return -ENOMEM;
	}
	priv->hold = &rt->dst;
	return 0;
}

/* The stack then waits until nobody holds the device any more. */
static void device_uninit(struct net_device *dev)
{
	free_percpu(dev->tstats);
	dst_release(device_hold(dev));
}

static int device_open(struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	/* No addresses: nothing but ESP of bound SAs belongs here. */
	if (idev)
		idev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	return 0;
}

static const struct net_device_ops device_ops = {
	.ndo_init = device_init,
	.ndo_uninit = device_uninit,
	.ndo_open = device_open,
	.ndo_start_xmit = device_xmit,
	.ndo_get_stats64 = dev_get_tstats64,
};

static void device_setup(struct net_device *dev)
{
	dev->netdev_ops = &device_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->needs_free_netdev = true;
	/* A stream has no packet size of its own. */
	dev->mtu = IP_MAX_MTU;
	dev->max_mtu = IP_MAX_MTU;
	dev->needed_headroom = ESPTCP_LEN_SIZE;
	netif_keep_dst(dev);
	dev->features = NETIF_F_SG | NETIF_F_HIGHDMA;
	dev->hw_features = dev->features;
	esptcp_compat_dev_setup(dev);
}

static int device_make(struct esptcp_net *en)
{
	struct net_device *dev;
	int err;

	dev = alloc_netdev(sizeof(struct device_priv), "esptcp%d", NET_NAME_ENUM, device_setup);
	if (!dev)
		return -ENOMEM;
	dev_net_set(dev, en->net);

	rtnl_lock();
	err = register_netdevice(dev);
	if (err) {
		rtnl_unlock();
		free_netdev(dev);
		return err;
	}
	err = dev_open(dev, NULL);
	if (err)
		unregister_netdevice(dev);
	else
		rcu_assign_pointer(en->dev, dev);
	rtnl_unlock();
	return err;
}

/**
 * esptcp_device_need() - take the ESP of bound SAs from now on
 * @en: the namespace, locked
 *
 * The device and the hook stay until the namespace or the module goes: ESP that
 * was on its way when the last binding went must not leave bare, either.
 *
 * Return: 0 or a negative errno
 */
int esptcp_device_need(struct esptcp_net *en)
{
	int err;

	lockdep_assert_held(&en->lock);
	if (!rcu_access_pointer(en->dev)) {
		err = device_make(en);
		if (err)
			return err;
	}
	if (en->hooked)
		return 0;
	err = nf_register_net_hooks(en->net, device_hooks,
				    ARRAY_SIZE(device_hooks));
	en->hooked = !err;
	return err;
}

/**
 * esptcp_device_net_exit() - let go of a dying namespace's ESP
 * @en: the namespace, which has no network device any more
 */
void esptcp_device_net_exit(struct esptcp_net *en)
{
	if (en->hooked)
		nf_unregister_net_hooks(en->net, device_hooks,
					ARRAY_SIZE(device_hooks));
}

/* ESP of bound SAs is dropped from here on. */
static void __net_exit device_net_exit(struct net *net)
{
	struct esptcp_net *en = esptcp_net(net);
	struct net_device *dev = rcu_dereference_protected(en->dev, true);

	if (!dev)
		return;
	RCU_INIT_POINTER(en->dev, NULL);
	unregister_netdev(dev);
}

/* Before the namespace's own devices go, and long before its bindings. */
static struct pernet_operations device_net_ops = {
	.exit = device_net_exit,
};

/**
 * esptcp_device_init() - be called when namespaces go
 *
 * Return: 0 or a negative errno
 */
int esptcp_device_init(void)
{
	return register_pernet_device(&device_net_ops);
}

/**
 * esptcp_device_exit() - remove all devices
 */
void esptcp_device_exit(void)
{
	unregister_pernet_device(&device_net_ops);
}
