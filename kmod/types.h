/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's objects, and which lock guards which member.
 *
 * Locks, outermost first:
 *   esptcp_net.lock		mutex, control plane of one network namespace
 *   lock_sock(conn->sk)	the connection in process context, or
 *   bh_lock_sock(conn->sk)	the same in softirq while no process holds it;
 *				"socket lock" below means either
 *   conn->tx_queue.lock	spinlock, packets on their way to the flusher
 *
 * A connection lives as long as somebody holds a reference, and one RCU grace
 * period more. The socket, a worker's list, and an abort or an encapsulation in
 * progress hold one. It holds a reference to its socket in turn, so that
 * conn->sk is always good.
 */
#ifndef ESPTCP_TYPES_H
#define ESPTCP_TYPES_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/codel.h>
#include <net/dst_cache.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/xfrm.h>

#include <uapi/linux/esptcp.h>

#include "parser.h"

#define ESPTCP_ULP_NAME "esptcp"

/**
 * struct esptcp_counters - a connection's counters, indexed by ESPTCP_A_STATS_*
 * @v: their values
 */
struct esptcp_counters {
	atomic64_t v[__ESPTCP_A_STATS_MAX];
};

/**
 * struct esptcp_mib - a namespace's counters, one set for each CPU
 * @v: indexed by ESPTCP_A_STATS_*, changed by this_cpu_add()
 */
struct esptcp_mib {
	u64 v[__ESPTCP_A_STATS_MAX];
};

/**
 * struct esptcp_profile - what the TCP headers of the fortinet framing are like
 * @name: enum esptcp_profile_name, from which it was made
 * @flags: TCP flags, as in octet 13 of the header
 * @seq: enum esptcp_policy, for sequence numbers
 * @ack: the same for acknowledgment numbers
 * @has_seq_value: with the policy fixed, @seq_value is the number
 * @has_ack_value: likewise for @ack_value
 * @has_window: @window is the window, else it is the IKE connection's
 * @length_prefix: the segment's length stands in front of the ESP packet
 * @timestamps: segments have the timestamps option if the IKE connection has
 * @in_window: what lies in TCP's receive window may be ESP
 * @window: the header's field, not scaled
 * @seq_value: see above
 * @ack_value: see above
 */
struct esptcp_profile {
	u8 name;
	u8 flags;
	u8 seq;
	u8 ack;
	bool has_seq_value;
	bool has_ack_value;
	bool has_window;
	bool length_prefix;
	bool timestamps;
	bool in_window;
	u16 window;
	u32 seq_value;
	u32 ack_value;
};

/**
 * struct esptcp_tuple - a connection's addresses and ports
 * @net: the namespace
 * @local: local address
 * @remote: the peer's address
 * @local_port: local port
 * @remote_port: the peer's port
 * @family: AF_INET or AF_INET6
 */
struct esptcp_tuple {
	struct net *net;
	xfrm_address_t local;
	xfrm_address_t remote;
	__be16 local_port;
	__be16 remote_port;
	u32 family;
};

/**
 * struct esptcp_segments - what a connection with the fortinet framing has more
 * @profile: what headers are like; set once, with the framing
 * @node: entry in the table of such connections
 * @tuple: what it is hashed by; set once
 * @overhead: octets between the IP and the ESP header; set once
 * @seq: sequence number when it was attached; set once
 * @ack: acknowledgment number then; set once
 * @route: to the peer; its own rules
 * @mark: mark of the socket when @route was looked for
 * @bound_dev: index of the device to which it was bound then, or 0
 * @mtu: of @route when it was last looked at
 * @sent: octets sent in segments, for the policy advancing
 * @last_seq: sequence number of the last segment that was sent
 * @peer_end: sequence number behind the last segment received, 0 before
 *
 * What is written for each packet comes last, away from what finds a packet.
 */
struct esptcp_segments {
	struct esptcp_profile profile;
	struct rhlist_head node;
	struct esptcp_tuple tuple;
	unsigned int overhead;
	u32 seq;
	u32 ack;
	struct dst_cache route;
	u32 mark;
	int bound_dev;
	u32 mtu;

	atomic_t sent;
	u32 last_seq;
	u32 peer_end;
};

/**
 * struct esptcp_net - what the module keeps for a network namespace
 * @net: the namespace
 * @lock: guards @bindings, @retired, @nretired, @nfortinet, @hooked and the
 *	setting of @dev; outermost lock
 * @conns: connections by id; RCU for readers, its own lock for writers
 * @next_id: where to look for the next free id; under the lock of @conns
 * @bindings: all bindings
 * @retired: those of outbound SAs that were removed lately, oldest first
 * @nretired: their number
 * @nfortinet: connections with the fortinet framing; its hooks are registered
 *	while it is not 0
 * @hooked: the hook for outbound ESP is registered, since the first binding
 * @dev: the esptcp device, made with the first binding, gone with the namespace
 * @mib: counters
 */
struct esptcp_net {
	struct net *net;
	struct mutex lock; /* see above */
	struct xarray conns;
	u32 next_id;
	struct list_head bindings;
	struct list_head retired;
	unsigned int nretired;
	unsigned int nfortinet;
	bool hooked;
	struct net_device __rcu *dev;
	struct esptcp_mib __percpu *mib;
};

/**
 * struct esptcp_work - one thing that a worker does for a connection
 * @conn: the connection; set once
 * @run: does it, in @napi's softirq and without a lock; returns whether there
 *	is more to do at once. It handles at most @budget frames, of which
 *	large ones count as several, and adds to *@done how many there were;
 *	set once
 * @kicks: how often it was asked for since the worker last looked
 * @node: entry in a worker's list, used while @kicks is not 0
 */
struct esptcp_work {
	struct esptcp_conn *conn;
	bool (*run)(struct esptcp_conn *conn, struct napi_struct *napi,
		    int budget, int *done);
	atomic_t kicks;
	struct list_head node;
};

/* Bits of struct esptcp_conn.flags. */
enum {
	ESPTCP_F_RX_DEFERRED,	/* rx_work found the socket owned by a process */
	ESPTCP_F_TX_DEFERRED,	/* tx_work did */
	ESPTCP_F_DETACHED,	/* the owner has closed the socket */
	ESPTCP_F_BAD_LENGTH,	/* the stream is corrupt, abort is under way */
	ESPTCP_F_RD_SHUT,	/* shutdown(SHUT_RD) */
	ESPTCP_F_WR_SHUT,	/* shutdown(SHUT_WR), perhaps not yet passed on */
	ESPTCP_F_BOUND,		/* an SA is or was bound: the peer is authenticated */
};

/**
 * struct esptcp_callbacks - the socket's own callbacks, called by ours
 * @data_ready: wakes readers
 * @write_space: wakes writers
 * @state_change: wakes everybody
 * @error_report: wakes everybody
 */
struct esptcp_callbacks {
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	void (*error_report)(struct sock *sk);
};

/**
 * struct esptcp_conn - an attached TCP connection
 * @sk: the socket, a reference is held
 * @base: the socket's own protocol, tcp_prot or tcpv6_prot
 * @saved: the socket's own callbacks; set once
 * @saved_allocation: the socket's own sk_allocation; set once
 * @refs: references
 * @rcu: frees it
 * @id: its number in the namespace; set once
 * @role: enum esptcp_role, as the owner said; set once
 * @framing: enum esptcp_framing; written under esptcp_net.lock and the socket
 *	lock, from rfc9329 to fortinet only; see esptcp_framing()
 * @family: AF_INET or AF_INET6, after unmapping; set once
 * @local: local address; set once
 * @remote: the peer's address; set once
 * @inode: of the socket; set once
 * @attached: when, jiffies; set once
 * @flags: ESPTCP_F_*; atomic bit operations
 * @state: enum esptcp_state; written under the socket lock
 * @reason: enum esptcp_reason, valid with @state; likewise
 * @error: the last error that TCP reported, a positive errno; likewise
 * @bindings: SAs bound to it; under esptcp_net.lock
 * @nbindings: their number; likewise
 * @parser: position in the incoming stream; under the socket lock
 * @frame: the frame that is being received, or NULL to skip it; likewise
 * @frame_verdict: what @frame is; likewise
 * @ike_rx: IKE messages for the owner; likewise
 * @ike_rx_bytes: memory that they take, octets; likewise
 * @tx_queue: ESP from XFRM; its own lock
 * @tx_backlog: memory that @tx_queue takes, octets; under its lock
 * @tx_open: @tx_queue takes packets; under its lock
 * @tx_more: the next packet was made together with the last one; likewise
 * @tx_codel: CoDel's variables; likewise
 * @tx_codel_stats: likewise
 * @tx_ike: IKE messages not yet in @tx_batch; under the socket lock
 * @tx_ike_bytes: octets of IKE in @tx_ike and @tx_batch; likewise
 * @tx_batch: what TCP takes next, the first perhaps in part: each a frame, or
 *	frames that were made of one packet; likewise
 * @tx_offset: octets of the first of them that TCP has taken; likewise
 * @rx_work: parses what TCP has received, notices its end
 * @tx_work: writes what waits into TCP
 * @abort: resets the connection after a fatal framing error
 * @segments: for the fortinet framing
 * @counters: what it did
 */
struct esptcp_conn {
	struct sock *sk;
	struct proto *base;
	struct esptcp_callbacks saved;
	gfp_t saved_allocation;
	refcount_t refs;
	struct rcu_head rcu;
	u32 id;
	u8 role;
	u8 framing;
	u16 family;
	xfrm_address_t local;
	xfrm_address_t remote;
	u64 inode;
	unsigned long attached;

	unsigned long flags;
	u8 state;
	u8 reason;
	int error;

	struct list_head bindings;
	unsigned int nbindings;

	struct esptcp_parser parser;
	struct sk_buff *frame;
	enum esptcp_verdict frame_verdict;
	struct sk_buff_head ike_rx;
	u32 ike_rx_bytes;

	struct sk_buff_head tx_queue;
	u32 tx_backlog;
	bool tx_open;
	bool tx_more;
	struct codel_vars tx_codel;
	struct codel_stats tx_codel_stats;
	struct sk_buff_head tx_ike;
	u32 tx_ike_bytes;
	struct sk_buff_head tx_batch;
	u32 tx_offset;

	struct esptcp_work rx_work;
	struct esptcp_work tx_work;
	struct work_struct abort;

	struct esptcp_segments segments;

	struct esptcp_counters counters;
};

/**
 * struct esptcp_binding_key - what names an SA, together with its address
 * @net: the namespace
 * @spi: the SA's SPI
 * @dir: enum esptcp_dir
 */
struct esptcp_binding_key {
	struct net *net;
	__be32 spi;
	u32 dir;
};

/**
 * struct esptcp_binding - says that an SA's packets travel in a connection
 * @node: entry in the table of all
 * @arrival: entry in the table of inbound SAs that have a connection
 * @key: see above; set once
 * @family: AF_INET or AF_INET6; set once
 * @daddr: the SA's destination address; set once
 * @conn: the connection, NULL while there is none; written under
 *	esptcp_net.lock, read under RCU
 * @seq: the connection's sequence number when the SA was bound to it, for the
 *	fortinet framing; likewise
 * @ack: its acknowledgment number then
 * @retired: when an outbound one was removed, jiffies, or 0
 * @released: its SA lives on without us
 * @net_list: entry in esptcp_net.bindings or retired; under esptcp_net.lock
 * @conn_list: entry in esptcp_conn.bindings; likewise
 * @rcu: frees it
 */
struct esptcp_binding {
	struct rhash_head node;
	struct rhlist_head arrival;
	struct esptcp_binding_key key;
	u16 family;
	xfrm_address_t daddr;
	struct esptcp_conn __rcu *conn;
	u32 seq;
	u32 ack;
	unsigned long retired;
	bool released;
	struct list_head net_list;
	struct list_head conn_list;
	struct rcu_head rcu;
};

struct esptcp_net *esptcp_net(const struct net *net);

/**
 * esptcp_framing() - a connection's framing
 * @conn: the connection
 *
 * Who sees the fortinet framing sees the profile, too. No lock is needed.
 *
 * Return: enum esptcp_framing
 */
static inline u8 esptcp_framing(const struct esptcp_conn *conn)
{
	/* Pairs with conn_use_segments(). */
	return smp_load_acquire(&conn->framing);
}

#endif /* ESPTCP_TYPES_H */
