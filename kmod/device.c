// SPDX-License-Identifier: GPL-2.0
/*
 * The esptcp device: where XFRM's ESP leaves the IP stack and enters TCP.
 *
 * While a namespace has bindings, a LOCAL_OUT hook sends ESP of bound SAs to
 * this device instead of the one that routing chose. Handing packets to a
 * device lets the stack do what plain ESP needs behind the hook: segment,
 * encrypt in software, resume after asynchronous crypto. It is also where an
 * operator runs tcpdump. What encap.c can do faster goes there instead, as long
 * as nobody looks at the device.
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

#include "binding.h"
#include "device.h"
#include "encap.h"
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

/*
 * The SA whose packet this CPU hands to the device just now: what comes out of
 * the stack behind it are nearly always that packet's segments. Set and read
 * with bottom halves disabled, under the hook's RCU. Not on PREEMPT_RT, where
 * that does not keep others from this CPU, nor their RCU the SA alive.
 */
static DEFINE_PER_CPU(const struct esptcp_binding *, device_sa);

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
 * esptcp_device_xmit() - hand a packet of a bound SA to the device
 * @net: the namespace
 * @skb: the packet, as the hook saw it; taken over
 *
 * The caller is under RCU.
 */
void esptcp_device_xmit(struct net *net, struct sk_buff *skb)
{
	struct net_device *dev = device_running(net, skb);

	if (!dev)
		return;
	skb->dev = dev;
	dev_queue_xmit(skb);
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

/*
 * Whether somebody wants to see packets at the device: a capture, tc, or a
 * netfilter hook. A device without a queue has a qdisc that takes nothing.
 */
static bool device_watched(struct net_device *dev)
{
	const struct netdev_queue *txq = netdev_get_tx_queue(dev, 0);

	return dev_nit_active(dev) ||
	       rcu_dereference_bh(txq->qdisc)->enqueue ||
	       esptcp_compat_dev_has_egress(dev);
}

/* Encapsulate a packet without the stack, if nobody misses it there. */
static bool device_encap(const struct esptcp_binding *b, struct net_device *dev,
			 struct sk_buff *skb, const struct esp_packet *esp)
{
	struct esptcp_conn *conn = rcu_dereference(b->conn);

	return conn && skb->sk != conn->sk && !esp->fragment &&
	       esptcp_framing(conn) == ESPTCP_FRAMING_RFC9329 &&
	       !device_watched(dev) &&
	       esptcp_encap(conn, skb, esp->offset);
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
	if (!b)
		return NF_ACCEPT;

	dev = device_running(state->net, skb);
	if (!dev)
		return NF_STOLEN;
	local_bh_disable();
	if (!device_encap(b, dev, skb, &esp)) {
		__this_cpu_write(device_sa, b);
		skb->dev = dev;
		dev_queue_xmit(skb);
		__this_cpu_write(device_sa, NULL);
	}
	local_bh_enable();
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

static const struct esptcp_binding *device_find_sa(struct net *net,
						   const struct esp_packet *esp)
{
	const struct esptcp_binding *b = NULL;

	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		b = __this_cpu_read(device_sa);
	if (b && esptcp_binding_is_out(b, net, esp->family, esp->daddr, esp->spi))
		return b;
	return esptcp_binding_find_out(net, esp->family, esp->daddr, esp->spi);
}

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
	b = device_find_sa(net, &esp);
	if (!b)
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
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats ? 0 : -ENOMEM;
}

static void device_uninit(struct net_device *dev)
{
	free_percpu(dev->tstats);
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
	dev->features = NETIF_F_SG | NETIF_F_HIGHDMA;
	dev->hw_features = dev->features;
	esptcp_compat_dev_setup(dev);
}

static int device_make(struct esptcp_net *en)
{
	struct net_device *dev;
	int err;

	dev = alloc_netdev(0, "esptcp%d", NET_NAME_ENUM, device_setup);
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
 * esptcp_device_get() - take the ESP of bound SAs, for one more binding
 * @en: the namespace, locked
 *
 * Return: 0 or a negative errno
 */
int esptcp_device_get(struct esptcp_net *en)
{
	int err;

	lockdep_assert_held(&en->lock);
	if (!rcu_access_pointer(en->dev)) {
		err = device_make(en);
		if (err)
			return err;
	}
	if (!en->nbindings) {
		err = nf_register_net_hooks(en->net, device_hooks,
					    ARRAY_SIZE(device_hooks));
		if (err)
			return err;
	}
	en->nbindings++;
	return 0;
}

/**
 * esptcp_device_put() - undo esptcp_device_get()
 * @en: the namespace, locked
 *
 * The device stays until the namespace or the module goes.
 */
void esptcp_device_put(struct esptcp_net *en)
{
	lockdep_assert_held(&en->lock);
	if (!--en->nbindings)
		nf_unregister_net_hooks(en->net, device_hooks,
					ARRAY_SIZE(device_hooks));
}

/**
 * esptcp_device_net_exit() - remove the device of a dying namespace
 * @en: the namespace, without bindings
 */
void esptcp_device_net_exit(struct esptcp_net *en)
{
	struct net_device *dev = rcu_dereference_protected(en->dev, true);

	if (!dev)
		return;
	RCU_INIT_POINTER(en->dev, NULL);
	unregister_netdev(dev);
}
