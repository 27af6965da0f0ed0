/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	kmod/esptcp.yaml, by kmod/ynl-regen.sh */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_ESPTCP_H
#define _UAPI_LINUX_ESPTCP_H

#define ESPTCP_FAMILY_NAME	"esptcp"
#define ESPTCP_FAMILY_VERSION	1

#define ESPTCP_MAX_FRAME	65535

/**
 * enum esptcp_framing - How a packet is put on the wire.
 * @ESPTCP_FRAMING_RFC9329: A 16-bit length in front of each message, in the
 *   TCP stream.
 * @ESPTCP_FRAMING_FORTINET: A TCP header of its own in front of each ESP
 *   packet, beside the stream, which carries IKE alone (FortiOS's
 *   fortinet-esp).
 */
enum esptcp_framing {
	ESPTCP_FRAMING_RFC9329,
	ESPTCP_FRAMING_FORTINET,
};

/**
 * enum esptcp_profile_name - What the TCP headers of the fortinet framing are
 *   like.
 * @ESPTCP_PROFILE_NAME_FORTIOS: As FortiOS is thought to write them: for each
 *   SA, one sequence number for all packets.
 * @ESPTCP_PROFILE_NAME_ADVANCING: Sequence numbers advance with the data, for
 *   firewalls that check them.
 */
enum esptcp_profile_name {
	ESPTCP_PROFILE_NAME_FORTIOS,
	ESPTCP_PROFILE_NAME_ADVANCING,
};

/**
 * enum esptcp_policy - Where a segment's sequence or acknowledgment number
 *   comes from. Unless a number is given, sequence numbers lie below what the
 *   peer has acknowledged, by as much as the path's MTU, so that to TCP the
 *   segment is an old one.
 * @ESPTCP_POLICY_FIXED: The IKE connection's when it was attached, or a number
 *   that is given.
 * @ESPTCP_POLICY_SA: The IKE connection's when the SA was bound.
 * @ESPTCP_POLICY_SNAPSHOT: The IKE connection's at the moment.
 * @ESPTCP_POLICY_ADVANCING: Sequence numbers go on by what each segment holds,
 *   through half of the largest window that the peer has announced, and again.
 *   Acknowledgment numbers follow the peer's segments of ESP.
 */
enum esptcp_policy {
	ESPTCP_POLICY_FIXED,
	ESPTCP_POLICY_SA,
	ESPTCP_POLICY_SNAPSHOT,
	ESPTCP_POLICY_ADVANCING,
};

/**
 * enum esptcp_role - Who opened the TCP connection; only its owner knows.
 * @ESPTCP_ROLE_UNKNOWN: The owner has not said.
 * @ESPTCP_ROLE_ORIGINATOR: This host opened the connection.
 * @ESPTCP_ROLE_RESPONDER: The peer opened the connection.
 */
enum esptcp_role {
	ESPTCP_ROLE_UNKNOWN,
	ESPTCP_ROLE_ORIGINATOR,
	ESPTCP_ROLE_RESPONDER,
};

/**
 * enum esptcp_dir - Direction of an SA, as seen from this host.
 */
enum esptcp_dir {
	ESPTCP_DIR_IN,
	ESPTCP_DIR_OUT,
};

/**
 * enum esptcp_state - Whether a connection carries ESP.
 * @ESPTCP_STATE_UP: Attached, frames flow both ways.
 * @ESPTCP_STATE_DOWN: The TCP connection has ended; the socket only waits for
 *   its owner to close it.
 */
enum esptcp_state {
	ESPTCP_STATE_UP,
	ESPTCP_STATE_DOWN,
};

/**
 * enum esptcp_reason - Why a connection went down.
 * @ESPTCP_REASON_NONE: It has not.
 * @ESPTCP_REASON_CLOSED: The owner closed its socket.
 * @ESPTCP_REASON_EOF: The peer closed the connection (FIN).
 * @ESPTCP_REASON_RESET: The peer reset the connection (RST).
 * @ESPTCP_REASON_TIMEOUT: TCP gave up retransmitting, or its keepalive or user
 *   timeout fired.
 * @ESPTCP_REASON_BAD_LENGTH: The peer sent a length of 0 or 1 (RFC 9329
 *   section 3).
 * @ESPTCP_REASON_ERROR: Another TCP error; the socket's SO_ERROR tells which.
 */
enum esptcp_reason {
	ESPTCP_REASON_NONE,
	ESPTCP_REASON_CLOSED,
	ESPTCP_REASON_EOF,
	ESPTCP_REASON_RESET,
	ESPTCP_REASON_TIMEOUT,
	ESPTCP_REASON_BAD_LENGTH,
	ESPTCP_REASON_ERROR,
};

enum {
	ESPTCP_A_CONN_ID = 1,
	ESPTCP_A_CONN_FD,
	ESPTCP_A_CONN_FRAMING,
	ESPTCP_A_CONN_REPLACES,
	ESPTCP_A_CONN_STATE,
	ESPTCP_A_CONN_REASON,
	ESPTCP_A_CONN_LOCAL_ADDR,
	ESPTCP_A_CONN_REMOTE_ADDR,
	ESPTCP_A_CONN_LOCAL_PORT,
	ESPTCP_A_CONN_REMOTE_PORT,
	ESPTCP_A_CONN_INODE,
	ESPTCP_A_CONN_AGE,
	ESPTCP_A_CONN_TX_QUEUE,
	ESPTCP_A_CONN_IKE_RX_QUEUE,
	ESPTCP_A_CONN_BINDINGS,
	ESPTCP_A_CONN_STATS,
	ESPTCP_A_CONN_PAD,
	ESPTCP_A_CONN_ROLE,
	ESPTCP_A_CONN_ERROR,
	ESPTCP_A_CONN_PROFILE,

	__ESPTCP_A_CONN_MAX,
	ESPTCP_A_CONN_MAX = (__ESPTCP_A_CONN_MAX - 1)
};

enum {
	ESPTCP_A_PROFILE_NAME = 1,
	ESPTCP_A_PROFILE_FLAGS,
	ESPTCP_A_PROFILE_SEQ,
	ESPTCP_A_PROFILE_SEQ_VALUE,
	ESPTCP_A_PROFILE_ACK,
	ESPTCP_A_PROFILE_ACK_VALUE,
	ESPTCP_A_PROFILE_WINDOW,
	ESPTCP_A_PROFILE_LENGTH_PREFIX,
	ESPTCP_A_PROFILE_TIMESTAMPS,
	ESPTCP_A_PROFILE_IN_WINDOW,

	__ESPTCP_A_PROFILE_MAX,
	ESPTCP_A_PROFILE_MAX = (__ESPTCP_A_PROFILE_MAX - 1)
};

enum {
	ESPTCP_A_BINDING_CONN_ID = 1,
	ESPTCP_A_BINDING_FD,
	ESPTCP_A_BINDING_DIR,
	ESPTCP_A_BINDING_SPI,
	ESPTCP_A_BINDING_DADDR,
	ESPTCP_A_BINDING_ALL,

	__ESPTCP_A_BINDING_MAX,
	ESPTCP_A_BINDING_MAX = (__ESPTCP_A_BINDING_MAX - 1)
};

enum {
	ESPTCP_A_STATS_RX_ESP_FRAMES = 1,
	ESPTCP_A_STATS_RX_ESP_BYTES,
	ESPTCP_A_STATS_RX_IKE_FRAMES,
	ESPTCP_A_STATS_RX_IKE_BYTES,
	ESPTCP_A_STATS_RX_EMPTY,
	ESPTCP_A_STATS_RX_KEEPALIVE,
	ESPTCP_A_STATS_RX_BAD_LENGTH,
	ESPTCP_A_STATS_RX_DROP_UNBOUND,
	ESPTCP_A_STATS_RX_DROP_RUNT,
	ESPTCP_A_STATS_RX_DROP_PARTIAL,
	ESPTCP_A_STATS_RX_DROP_IKE_FULL,
	ESPTCP_A_STATS_RX_DROP_IKE_CLOSED,
	ESPTCP_A_STATS_RX_DROP_NO_DEVICE,
	ESPTCP_A_STATS_RX_DROP_NO_MEMORY,
	ESPTCP_A_STATS_TX_ESP_FRAMES,
	ESPTCP_A_STATS_TX_ESP_BYTES,
	ESPTCP_A_STATS_TX_IKE_FRAMES,
	ESPTCP_A_STATS_TX_IKE_BYTES,
	ESPTCP_A_STATS_TX_DROP_NO_CONN,
	ESPTCP_A_STATS_TX_DROP_QUEUE_FULL,
	ESPTCP_A_STATS_TX_DROP_QUEUE_DELAY,
	ESPTCP_A_STATS_TX_DROP_CONN_CLOSED,
	ESPTCP_A_STATS_TX_DROP_TOO_BIG,
	ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED,
	ESPTCP_A_STATS_TX_DROP_NOT_ESP,
	ESPTCP_A_STATS_TX_DROP_UNBOUND,
	ESPTCP_A_STATS_TX_DROP_LOOP,
	ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN,
	ESPTCP_A_STATS_TX_DROP_NO_MEMORY,
	ESPTCP_A_STATS_PAD,
	ESPTCP_A_STATS_TX_DROP_INNER_MTU,
	ESPTCP_A_STATS_TX_DROP_NO_ROUTE,
	ESPTCP_A_STATS_TX_DROP_OUTPUT,
	ESPTCP_A_STATS_RX_STREAM_ESP,
	ESPTCP_A_STATS_TX_DROP_GSO,
	ESPTCP_A_STATS_RX_DROP_IKE_UNAUTH,

	__ESPTCP_A_STATS_MAX,
	ESPTCP_A_STATS_MAX = (__ESPTCP_A_STATS_MAX - 1)
};

enum {
	ESPTCP_CMD_ATTACH = 1,
	ESPTCP_CMD_CONN_GET,
	ESPTCP_CMD_BIND,
	ESPTCP_CMD_UNBIND,
	ESPTCP_CMD_BINDING_GET,
	ESPTCP_CMD_STATS_GET,
	ESPTCP_CMD_CONN_UP_NTF,
	ESPTCP_CMD_CONN_DOWN_NTF,
	ESPTCP_CMD_REBIND_NTF,
	ESPTCP_CMD_CONN_SET,

	__ESPTCP_CMD_MAX,
	ESPTCP_CMD_MAX = (__ESPTCP_CMD_MAX - 1)
};

#define ESPTCP_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_ESPTCP_H */
