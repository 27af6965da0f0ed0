/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP's own view of its sockets: what sock_diag(7) tells, and ss(8) shows.
 */
#ifndef ESPTCP_TCP_H
#define ESPTCP_TCP_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

/* Where peers expect IKE over TCP unless told otherwise */
#define IKE_PORT	4500

/* Sets of states, a bit for each number of enum TCP_ESTABLISHED...:
 * LISTEN; and ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING.
 */
#define TCP_STATES_LISTENING	0x400
#define TCP_STATES_CONNECTED	0xb32

/**
 * struct tcp - a TCP socket of the network namespace
 * @inode: of the socket, low 32 bits
 * @uid: of its owner
 * @listening: waits for connections
 * @local: address of this end; all zero where it is any address
 * @remote: address of the other end
 * @local_port: in host byte order
 * @remote_port: in host byte order
 * @known: the members below have been told
 * @sack: selective acknowledgements are in use
 * @timestamps: time stamps are in use
 * @window_scaling: windows may exceed 64 KiB
 * @rtt: smoothed round-trip time in microseconds
 * @cwnd: congestion window in segments
 * @mss: octets that a segment carries
 * @pmtu: MTU of the path
 * @retransmitted: segments that were sent again, since the beginning
 * @unacked: segments on their way
 * @backoff: how often the retransmission timer fired in a row
 */
struct tcp {
	__u32 inode;
	__u32 uid;
	bool listening;
	struct address local;
	struct address remote;
	__u16 local_port;
	__u16 remote_port;
	bool known;
	bool sack;
	bool timestamps;
	bool window_scaling;
	__u32 rtt;
	__u32 cwnd;
	__u32 mss;
	__u32 pmtu;
	__u32 retransmitted;
	__u32 unacked;
	__u32 backoff;
};

struct tcp_list {
	struct tcp *item;
	size_t count;
};

const char *tcp_dump(__u32 states, struct tcp_list *list);
const struct tcp *tcp_find(const struct tcp_list *list, __u64 inode);

#endif /* ESPTCP_TCP_H */
