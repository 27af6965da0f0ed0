/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that the module is built for, from 6.1 on.
 * Included in front of every source. The sources are written for the newest
 * kernel; the only tests of the kernel's version are in this directory.
 */
#ifndef ESPTCP_COMPAT_H
#define ESPTCP_COMPAT_H

#include <linux/version.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/xfrm.h>

/*
 * 6.2: operations of a family come split by do and dump. Before, one entry
 * had both, so esptcp_compat_genl_register() joins what was generated.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define genl_split_ops	genl_ops
#define split_ops	ops
#define n_split_ops	n_ops
int esptcp_compat_genl_register(struct genl_family *family);
#else
#define esptcp_compat_genl_register(family)	genl_register_family(family)
#endif

/* 6.3: asynchronous crypto hands the data over, not the request. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define esptcp_compat_done		struct crypto_async_request
#define esptcp_compat_done_data(done)	((done)->data)
#else
#define esptcp_compat_done		void
#define esptcp_compat_done_data(done)	(done)
#endif

/* 6.2: a device may do all of IPsec, sequence numbers included. */
static inline bool esptcp_compat_packet_offload(const struct xfrm_state *x)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	return false;
#else
	return x->xso.type == XFRM_DEV_OFFLOAD_PACKET;
#endif
}

/* 6.5: segmentation has a header of its own; sendpage became MSG_SPLICE_PAGES. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline ssize_t esptcp_compat_sendpage(struct socket *sock,
					     struct page *page, int offset,
					     size_t size, int flags)
{
	return -EOPNOTSUPP;
}

static inline void esptcp_compat_ops_build(struct proto_ops *ops)
{
	ops->sendpage = esptcp_compat_sendpage;
	ops->sendpage_locked = NULL;
}

int esptcp_compat_send_pages(struct sock *sk, struct msghdr *msg,
			     const struct bio_vec *v, unsigned int count,
			     size_t bytes);
#else
static inline int esptcp_compat_send_pages(struct sock *sk, struct msghdr *msg,
					   const struct bio_vec *v,
					   unsigned int count, size_t bytes)
{
	msg->msg_flags |= MSG_SPLICE_PAGES;
	iov_iter_bvec(&msg->msg_iter, ITER_SOURCE, v, count, bytes);
	return tcp_sendmsg_locked(sk, msg, bytes);
}

static inline void esptcp_compat_ops_build(struct proto_ops *ops)
{
}
#endif

/*
 * 6.8, 6.6.21 and 6.1.81: connection tracking can be asked to confirm a flow.
 * Before, its first packet is lost where that is needed.
 */
#if IS_ENABLED(CONFIG_NF_CONNTRACK) && \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0) || \
	 (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 21) && \
	  LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)) || \
	 (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 81) && \
	  LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)))
static inline int esptcp_compat_ct_confirm(struct sk_buff *skb)
{
	const struct nf_ct_hook *hook = rcu_dereference(nf_ct_hook);

	return hook ? hook->confirm(skb) : NF_DROP;
}
#else
static inline int esptcp_compat_ct_confirm(struct sk_buff *skb)
{
	return NF_DROP;
}
#endif

/* 6.6: programs at a device's egress became lists of their own. */
static inline bool esptcp_compat_dev_has_egress(const struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0) && defined(CONFIG_NET_CLS_ACT)
	if (rcu_access_pointer(dev->miniq_egress))
		return true;
#elif defined(CONFIG_NET_XGRESS)
	if (rcu_access_pointer(dev->tcx_egress))
		return true;
#endif
#ifdef CONFIG_NETFILTER_EGRESS
	if (rcu_access_pointer(dev->nf_hooks_egress))
		return true;
#endif
	return false;
}

/* 6.7: timestamps of TCP may be in microseconds, if the socket says so. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define esptcp_compat_tcp_now(tp)	((void)(tp), tcp_time_stamp_raw())
#else
#define esptcp_compat_tcp_now(tp)	tcp_clock_ts((tp)->tcp_usec_ts)
#endif

/* 6.10: dummy devices are allocated. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
static inline struct net_device *alloc_netdev_dummy(int sizeof_priv)
{
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
}

#define free_netdev_dummy(dev)	kfree(dev)
#else
#define free_netdev_dummy(dev)	free_netdev(dev)
#endif

/* 6.10: it does not warn when there is no memory. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define napi_alloc_skb(napi, len)	\
	__napi_alloc_skb(napi, len, GFP_ATOMIC | __GFP_NOWARN)
#endif

/* 6.12: there may be memory of devices that the CPU cannot read. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define skb_frags_readable(skb)	((void)(skb), true)
#endif

/* 6.12: these features became properties of the device. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static inline void esptcp_compat_dev_setup(struct net_device *dev)
{
	dev->features |= NETIF_F_LLTX | NETIF_F_NETNS_LOCAL;
}
#else
static inline void esptcp_compat_dev_setup(struct net_device *dev)
{
	dev->lltx = true;
	dev->netns_immutable = true;
}
#endif

/* 7.2: proto.recvmsg lost the argument behind its flags. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define ESPTCP_COMPAT_FLAGS(flags)	int flags, int *addr_len
#else
#define ESPTCP_COMPAT_FLAGS(flags)	int flags
#endif

#endif /* ESPTCP_COMPAT_H */
