// SPDX-License-Identifier: GPL-2.0
/* Do not edit directly, auto-generated from: */
/*	kmod/esptcp.yaml, by tools/names-regen.py */

#include <stddef.h>

#include <linux/esptcp.h>

#include "names.h"

static const struct word framing_words[] = {
	[ESPTCP_FRAMING_RFC9329] = {
		.name = "rfc9329",
		.doc =
		"A 16-bit length in front of each message, in the TCP stream",
	},
	[ESPTCP_FRAMING_FORTINET] = {
		.name = "fortinet",
		.doc =
		"A TCP header of its own in front of each ESP packet, beside the stream, which carries IKE alone (FortiOS's fortinet-esp)",
	},
};

const struct names framing_names = {
	.words = framing_words,
	.size = ARRAY_SIZE(framing_words),
};

static const struct word role_words[] = {
	[ESPTCP_ROLE_UNKNOWN] = {
		.name = "unknown",
		.doc =
		"The owner has not said",
	},
	[ESPTCP_ROLE_ORIGINATOR] = {
		.name = "originator",
		.doc =
		"This host opened the connection",
	},
	[ESPTCP_ROLE_RESPONDER] = {
		.name = "responder",
		.doc =
		"The peer opened the connection",
	},
};

const struct names role_names = {
	.words = role_words,
	.size = ARRAY_SIZE(role_words),
};

static const struct word dir_words[] = {
	[ESPTCP_DIR_IN] = {
		.name = "in",
		.doc = "",
	},
	[ESPTCP_DIR_OUT] = {
		.name = "out",
		.doc = "",
	},
};

const struct names dir_names = {
	.words = dir_words,
	.size = ARRAY_SIZE(dir_words),
};

static const struct word state_words[] = {
	[ESPTCP_STATE_UP] = {
		.name = "up",
		.doc =
		"Attached, frames flow both ways",
	},
	[ESPTCP_STATE_DOWN] = {
		.name = "down",
		.doc =
		"The TCP connection has ended; the socket only waits for its owner to close it",
	},
};

const struct names state_names = {
	.words = state_words,
	.size = ARRAY_SIZE(state_words),
};

static const struct word reason_words[] = {
	[ESPTCP_REASON_NONE] = {
		.name = "none",
		.doc =
		"It has not",
	},
	[ESPTCP_REASON_CLOSED] = {
		.name = "closed",
		.doc =
		"The owner closed its socket",
	},
	[ESPTCP_REASON_EOF] = {
		.name = "eof",
		.doc =
		"The peer closed the connection (FIN)",
	},
	[ESPTCP_REASON_RESET] = {
		.name = "reset",
		.doc =
		"The peer reset the connection (RST)",
	},
	[ESPTCP_REASON_TIMEOUT] = {
		.name = "timeout",
		.doc =
		"TCP gave up retransmitting, or its keepalive or user timeout fired",
	},
	[ESPTCP_REASON_BAD_LENGTH] = {
		.name = "bad-length",
		.doc =
		"The peer sent a length of 0 or 1 (RFC 9329 section 3)",
	},
	[ESPTCP_REASON_ERROR] = {
		.name = "error",
		.doc =
		"Another TCP error; the socket's SO_ERROR tells which",
	},
};

const struct names reason_names = {
	.words = reason_words,
	.size = ARRAY_SIZE(reason_words),
};

static const struct word profile_name_words[] = {
	[ESPTCP_PROFILE_NAME_FORTIOS] = {
		.name = "fortios",
		.doc =
		"As FortiOS is thought to write them: for each SA, one sequence number for all packets",
	},
	[ESPTCP_PROFILE_NAME_ADVANCING] = {
		.name = "advancing",
		.doc =
		"Sequence numbers advance with the data, for firewalls that check them",
	},
};

const struct names profile_name_names = {
	.words = profile_name_words,
	.size = ARRAY_SIZE(profile_name_words),
};

static const struct word policy_words[] = {
	[ESPTCP_POLICY_FIXED] = {
		.name = "fixed",
		.doc =
		"The IKE connection's when it was attached, or a number that is given",
	},
	[ESPTCP_POLICY_SA] = {
		.name = "sa",
		.doc =
		"The IKE connection's when the SA was bound",
	},
	[ESPTCP_POLICY_SNAPSHOT] = {
		.name = "snapshot",
		.doc =
		"The IKE connection's at the moment",
	},
	[ESPTCP_POLICY_ADVANCING] = {
		.name = "advancing",
		.doc =
		"Sequence numbers go on by what each segment holds, through half of the largest window that the peer has announced, and again. Acknowledgment numbers follow the peer's segments of ESP",
	},
};

const struct names policy_names = {
	.words = policy_words,
	.size = ARRAY_SIZE(policy_words),
};

static const struct word counter_words[] = {
	[ESPTCP_A_STATS_RX_ESP_FRAMES] = {
		.name = "rx-esp-frames",
		.doc =
		"ESP frames handed to XFRM",
	},
	[ESPTCP_A_STATS_RX_ESP_BYTES] = {
		.name = "rx-esp-bytes",
		.doc =
		"Their ESP octets, without the two of the length",
	},
	[ESPTCP_A_STATS_RX_IKE_FRAMES] = {
		.name = "rx-ike-frames",
		.doc =
		"IKE messages queued for the owner",
	},
	[ESPTCP_A_STATS_RX_IKE_BYTES] = {
		.name = "rx-ike-bytes",
		.doc =
		"Their octets, the non-ESP marker included",
	},
	[ESPTCP_A_STATS_RX_EMPTY] = {
		.name = "rx-empty",
		.doc =
		"Frames of length 2, ignored (RFC 9329 section 3)",
	},
	[ESPTCP_A_STATS_RX_KEEPALIVE] = {
		.name = "rx-keepalive",
		.doc =
		"NAT keepalives, ignored (RFC 9329 section 6.6)",
	},
	[ESPTCP_A_STATS_RX_BAD_LENGTH] = {
		.name = "rx-bad-length",
		.doc =
		"Frames of length 0 or 1; each ended its connection",
	},
	[ESPTCP_A_STATS_RX_DROP_UNBOUND] = {
		.name = "rx-drop-unbound",
		.doc =
		"ESP whose SPI is not bound to the connection it arrived on. With the fortinet framing, also other segments that do not belong to the stream, as they lack TCP's timestamps, which the stream has",
	},
	[ESPTCP_A_STATS_RX_DROP_RUNT] = {
		.name = "rx-drop-runt",
		.doc =
		"Frames too short to be IKE or ESP",
	},
	[ESPTCP_A_STATS_RX_DROP_PARTIAL] = {
		.name = "rx-drop-partial",
		.doc =
		"Frames cut off by the end of the connection",
	},
	[ESPTCP_A_STATS_RX_DROP_IKE_FULL] = {
		.name = "rx-drop-ike-full",
		.doc =
		"IKE messages that found the owner's receive queue full",
	},
	[ESPTCP_A_STATS_RX_DROP_IKE_CLOSED] = {
		.name = "rx-drop-ike-closed",
		.doc =
		"IKE messages that came after the owner's shutdown(SHUT_RD), or that the owner had not read when it closed the socket",
	},
	[ESPTCP_A_STATS_RX_DROP_NO_DEVICE] = {
		.name = "rx-drop-no-device",
		.doc =
		"ESP whose ingress device has gone",
	},
	[ESPTCP_A_STATS_RX_DROP_NO_MEMORY] = {
		.name = "rx-drop-no-memory",
		.doc =
		"Frames for which no memory could be had",
	},
	[ESPTCP_A_STATS_TX_ESP_FRAMES] = {
		.name = "tx-esp-frames",
		.doc =
		"ESP frames that TCP took, or segments that the IP stack took",
	},
	[ESPTCP_A_STATS_TX_ESP_BYTES] = {
		.name = "tx-esp-bytes",
		.doc =
		"Their ESP octets, without the two of the length",
	},
	[ESPTCP_A_STATS_TX_IKE_FRAMES] = {
		.name = "tx-ike-frames",
		.doc =
		"IKE messages that TCP took",
	},
	[ESPTCP_A_STATS_TX_IKE_BYTES] = {
		.name = "tx-ike-bytes",
		.doc =
		"Their octets, the non-ESP marker included",
	},
	[ESPTCP_A_STATS_TX_DROP_NO_CONN] = {
		.name = "tx-drop-no-conn",
		.doc =
		"ESP of a bound SA whose connection is gone or down",
	},
	[ESPTCP_A_STATS_TX_DROP_QUEUE_FULL] = {
		.name = "tx-drop-queue-full",
		.doc =
		"ESP that found the connection's queue full",
	},
	[ESPTCP_A_STATS_TX_DROP_QUEUE_DELAY] = {
		.name = "tx-drop-queue-delay",
		.doc =
		"ESP dropped by CoDel because it had waited too long",
	},
	[ESPTCP_A_STATS_TX_DROP_CONN_CLOSED] = {
		.name = "tx-drop-conn-closed",
		.doc =
		"Frames still queued when their connection ended",
	},
	[ESPTCP_A_STATS_TX_DROP_TOO_BIG] = {
		.name = "tx-drop-too-big",
		.doc =
		"ESP of more than 65,533 octets, which no frame can hold, or of more than the path's MTU leaves for a segment",
	},
	[ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED] = {
		.name = "tx-drop-not-encrypted",
		.doc =
		"Packets that reached the framing before XFRM had encrypted them",
	},
	[ESPTCP_A_STATS_TX_DROP_NOT_ESP] = {
		.name = "tx-drop-not-esp",
		.doc =
		"Packets on the esptcp device that are not ESP. With the fortinet framing, also ESP behind IPv6 extension headers",
	},
	[ESPTCP_A_STATS_TX_DROP_UNBOUND] = {
		.name = "tx-drop-unbound",
		.doc =
		"ESP on the esptcp device that belongs to no bound SA, or to one that was deleted while a cipher had the packet",
	},
	[ESPTCP_A_STATS_TX_DROP_LOOP] = {
		.name = "tx-drop-loop",
		.doc =
		"Packets of a connection that the policies which it carries have caught: its socket lacks the IPsec bypass",
	},
	[ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN] = {
		.name = "tx-drop-device-down",
		.doc =
		"ESP of a bound SA while the esptcp device is down",
	},
	[ESPTCP_A_STATS_TX_DROP_NO_MEMORY] = {
		.name = "tx-drop-no-memory",
		.doc =
		"ESP for whose framing no memory could be had",
	},
	[ESPTCP_A_STATS_TX_DROP_INNER_MTU] = {
		.name = "tx-drop-inner-mtu",
		.doc =
		"Packets too big for a segment once encrypted, answered with an ICMP error before that",
	},
	[ESPTCP_A_STATS_TX_DROP_NO_ROUTE] = {
		.name = "tx-drop-no-route",
		.doc =
		"Segments for which there is no route to the peer",
	},
	[ESPTCP_A_STATS_TX_DROP_OUTPUT] = {
		.name = "tx-drop-output",
		.doc =
		"Segments that the IP stack refused, by a firewall's rule or a full queue",
	},
	[ESPTCP_A_STATS_RX_STREAM_ESP] = {
		.name = "rx-stream-esp",
		.doc =
		"ESP frames that came in the stream of a connection with the fortinet framing, and were taken: the peer is set to rfc9329",
	},
	[ESPTCP_A_STATS_TX_DROP_GSO] = {
		.name = "tx-drop-gso",
		.doc =
		"Packets, of whatever IPsec tunnel, that had to be cut up before XFRM and could not be: malformed ones, or there was no memory",
	},
	[ESPTCP_A_STATS_RX_DROP_IKE_UNAUTH] = {
		.name = "rx-drop-ike-unauth",
		.doc =
		"IKE messages that were too large for a connection to which no SA has been bound yet, or too many",
	},
};

const struct names counter_names = {
	.words = counter_words,
	.size = ARRAY_SIZE(counter_words),
};
