// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and drops. Every packet that the module frees without having
 * delivered it passes through here, with the counter that names the reason.
 * Any context.
 */
#include "stats.h"

/* As in kmod/esptcp.yaml; a self-test compares. */
const char * const esptcp_stat_names[__ESPTCP_A_STATS_MAX] = {
	[ESPTCP_A_STATS_RX_ESP_FRAMES] = "rx-esp-frames",
	[ESPTCP_A_STATS_RX_ESP_BYTES] = "rx-esp-bytes",
	[ESPTCP_A_STATS_RX_IKE_FRAMES] = "rx-ike-frames",
	[ESPTCP_A_STATS_RX_IKE_BYTES] = "rx-ike-bytes",
	[ESPTCP_A_STATS_RX_EMPTY] = "rx-empty",
	[ESPTCP_A_STATS_RX_KEEPALIVE] = "rx-keepalive",
	[ESPTCP_A_STATS_RX_BAD_LENGTH] = "rx-bad-length",
	[ESPTCP_A_STATS_RX_DROP_UNBOUND] = "rx-drop-unbound",
	[ESPTCP_A_STATS_RX_DROP_RUNT] = "rx-drop-runt",
	[ESPTCP_A_STATS_RX_DROP_PARTIAL] = "rx-drop-partial",
	[ESPTCP_A_STATS_RX_DROP_IKE_FULL] = "rx-drop-ike-full",
	[ESPTCP_A_STATS_RX_DROP_IKE_CLOSED] = "rx-drop-ike-closed",
	[ESPTCP_A_STATS_RX_DROP_NO_DEVICE] = "rx-drop-no-device",
	[ESPTCP_A_STATS_RX_DROP_NO_MEMORY] = "rx-drop-no-memory",
	[ESPTCP_A_STATS_TX_ESP_FRAMES] = "tx-esp-frames",
	[ESPTCP_A_STATS_TX_ESP_BYTES] = "tx-esp-bytes",
	[ESPTCP_A_STATS_TX_IKE_FRAMES] = "tx-ike-frames",
	[ESPTCP_A_STATS_TX_IKE_BYTES] = "tx-ike-bytes",
	[ESPTCP_A_STATS_TX_DROP_NO_CONN] = "tx-drop-no-conn",
	[ESPTCP_A_STATS_TX_DROP_QUEUE_FULL] = "tx-drop-queue-full",
	[ESPTCP_A_STATS_TX_DROP_QUEUE_DELAY] = "tx-drop-queue-delay",
	[ESPTCP_A_STATS_TX_DROP_CONN_CLOSED] = "tx-drop-conn-closed",
	[ESPTCP_A_STATS_TX_DROP_TOO_BIG] = "tx-drop-too-big",
	[ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED] = "tx-drop-not-encrypted",
	[ESPTCP_A_STATS_TX_DROP_NOT_ESP] = "tx-drop-not-esp",
	[ESPTCP_A_STATS_TX_DROP_UNBOUND] = "tx-drop-unbound",
	[ESPTCP_A_STATS_TX_DROP_LOOP] = "tx-drop-loop",
	[ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN] = "tx-drop-device-down",
	[ESPTCP_A_STATS_TX_DROP_NO_MEMORY] = "tx-drop-no-memory",
	[ESPTCP_A_STATS_TX_DROP_INNER_MTU] = "tx-drop-inner-mtu",
	[ESPTCP_A_STATS_TX_DROP_NO_ROUTE] = "tx-drop-no-route",
	[ESPTCP_A_STATS_TX_DROP_OUTPUT] = "tx-drop-output",
	[ESPTCP_A_STATS_RX_STREAM_ESP] = "rx-stream-esp",
	[ESPTCP_A_STATS_TX_DROP_GSO] = "tx-drop-gso",
	[ESPTCP_A_STATS_RX_DROP_IKE_UNAUTH] = "rx-drop-ike-unauth",
};

/* The nearest of the kernel's own reasons, for drop monitors. */
static const u16 skb_reasons[__ESPTCP_A_STATS_MAX] = {
	[ESPTCP_A_STATS_RX_DROP_PARTIAL] = SKB_DROP_REASON_PKT_TOO_SMALL,
	[ESPTCP_A_STATS_RX_DROP_IKE_FULL] = SKB_DROP_REASON_SOCKET_RCVBUFF,
	[ESPTCP_A_STATS_RX_DROP_IKE_CLOSED] = SKB_DROP_REASON_NO_SOCKET,
	[ESPTCP_A_STATS_RX_DROP_UNBOUND] = SKB_DROP_REASON_NO_SOCKET,
	[ESPTCP_A_STATS_RX_DROP_NO_DEVICE] = SKB_DROP_REASON_DEV_READY,
	[ESPTCP_A_STATS_RX_DROP_NO_MEMORY] = SKB_DROP_REASON_NOMEM,
	[ESPTCP_A_STATS_TX_DROP_NO_CONN] = SKB_DROP_REASON_NO_SOCKET,
	[ESPTCP_A_STATS_TX_DROP_QUEUE_FULL] = SKB_DROP_REASON_QDISC_DROP,
	[ESPTCP_A_STATS_TX_DROP_QUEUE_DELAY] = SKB_DROP_REASON_QDISC_DROP,
	[ESPTCP_A_STATS_TX_DROP_CONN_CLOSED] = SKB_DROP_REASON_NO_SOCKET,
	[ESPTCP_A_STATS_TX_DROP_TOO_BIG] = SKB_DROP_REASON_PKT_TOO_BIG,
	[ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED] = SKB_DROP_REASON_XFRM_POLICY,
	[ESPTCP_A_STATS_TX_DROP_NOT_ESP] = SKB_DROP_REASON_UNHANDLED_PROTO,
	[ESPTCP_A_STATS_TX_DROP_UNBOUND] = SKB_DROP_REASON_NO_SOCKET,
	[ESPTCP_A_STATS_TX_DROP_LOOP] = SKB_DROP_REASON_XFRM_POLICY,
	[ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN] = SKB_DROP_REASON_DEV_READY,
	[ESPTCP_A_STATS_TX_DROP_NO_MEMORY] = SKB_DROP_REASON_NOMEM,
	[ESPTCP_A_STATS_TX_DROP_INNER_MTU] = SKB_DROP_REASON_PKT_TOO_BIG,
	[ESPTCP_A_STATS_TX_DROP_NO_ROUTE] = SKB_DROP_REASON_IP_OUTNOROUTES,
	[ESPTCP_A_STATS_TX_DROP_GSO] = SKB_DROP_REASON_SKB_GSO_SEG,
};

/**
 * esptcp_count() - add to a counter of a namespace and of a connection
 * @net: the namespace
 * @conn: the connection, or NULL where there is none
 * @stat: ESPTCP_A_STATS_*
 * @n: how much
 */
void esptcp_count(struct net *net, struct esptcp_conn *conn, int stat, u64 n)
{
	this_cpu_add(esptcp_net(net)->mib->v[stat], n);
	if (conn)
		atomic64_add(n, &conn->counters.v[stat]);
}

/**
 * esptcp_count_packets() - count packets, and the octets in them
 * @net: the namespace
 * @conn: the connection
 * @stat: ESPTCP_A_STATS_*_FRAMES, which ESPTCP_A_STATS_*_BYTES follows
 * @packets: how many
 * @bytes: their octets
 */
void esptcp_count_packets(struct net *net, struct esptcp_conn *conn, int stat,
			  u64 packets, u64 bytes)
{
	struct esptcp_mib __percpu *mib = esptcp_net(net)->mib;

	BUILD_BUG_ON(ESPTCP_A_STATS_RX_ESP_FRAMES + 1 != ESPTCP_A_STATS_RX_ESP_BYTES);
	BUILD_BUG_ON(ESPTCP_A_STATS_RX_IKE_FRAMES + 1 != ESPTCP_A_STATS_RX_IKE_BYTES);
	BUILD_BUG_ON(ESPTCP_A_STATS_TX_ESP_FRAMES + 1 != ESPTCP_A_STATS_TX_ESP_BYTES);
	BUILD_BUG_ON(ESPTCP_A_STATS_TX_IKE_FRAMES + 1 != ESPTCP_A_STATS_TX_IKE_BYTES);

	this_cpu_add(mib->v[stat], packets);
	this_cpu_add(mib->v[stat + 1], bytes);
	atomic64_add(packets, &conn->counters.v[stat]);
	atomic64_add(bytes, &conn->counters.v[stat + 1]);
}

/**
 * esptcp_packets() - how many packets a packet stands for
 * @skb: the packet, perhaps one that was not cut up yet, or frames of several
 *
 * Return: at least 1
 */
unsigned int esptcp_packets(const struct sk_buff *skb)
{
	return max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
}

/**
 * esptcp_drop() - free a packet that cannot be delivered, and say why
 * @net: the namespace
 * @conn: the connection, or NULL where there is none
 * @skb: the packet
 * @stat: ESPTCP_A_STATS_*_DROP_*
 */
void esptcp_drop(struct net *net, struct esptcp_conn *conn,
		 struct sk_buff *skb, int stat)
{
	esptcp_count(net, conn, stat, esptcp_packets(skb));
	kfree_skb_reason(skb, skb_reasons[stat]);
}

/**
 * esptcp_drop_queue() - esptcp_drop() for each packet of a queue
 * @net: the namespace
 * @conn: the connection, or NULL where there is none
 * @queue: the packets; nobody else uses it
 * @stat: ESPTCP_A_STATS_*_DROP_*
 */
void esptcp_drop_queue(struct net *net, struct esptcp_conn *conn,
		       struct sk_buff_head *queue, int stat)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(queue)))
		esptcp_drop(net, conn, skb, stat);
}

/**
 * esptcp_mib_read() - read a counter of a namespace
 * @en: the namespace
 * @stat: ESPTCP_A_STATS_*
 *
 * Return: its value
 */
u64 esptcp_mib_read(const struct esptcp_net *en, int stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(en->mib, cpu)->v[stat];
	return sum;
}
