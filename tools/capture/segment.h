/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP segments, as captures have them.
 */
#ifndef ESPTCP_SEGMENT_H
#define ESPTCP_SEGMENT_H

#include <netinet/tcp.h>
#include <stdbool.h>

#include "lib/address.h"

/**
 * struct segment - a TCP segment
 * @from: source address
 * @to: destination address
 * @from_port: source port
 * @to_port: destination port
 * @seq: sequence number
 * @ack: acknowledgment number
 * @window: as it is in the header, not scaled
 * @flags: TH_...
 * @timestamps: has the option of that name
 * @options: kinds of its other options, a bit for each; the highest bit for all
 *	from there on
 * @dont_fragment: the flag of IPv4; always set in IPv6
 * @traffic_class: DSCP and ECN of the IP header
 * @packet: length of the IP packet
 * @length: of the payload
 * @captured: so much of it is in the capture
 * @payload: the payload
 */
struct segment {
	struct address from;
	struct address to;
	__u16 from_port;
	__u16 to_port;
	__u32 seq;
	__u32 ack;
	__u16 window;
	__u8 flags;
	bool timestamps;
	__u64 options;
	bool dont_fragment;
	__u8 traffic_class;
	__u32 packet;
	__u32 length;
	__u32 captured;
	const __u8 *payload;
};

/**
 * enum segment_is - what a captured packet turned out to be
 * @SEGMENT_IS_TCP: a segment
 * @SEGMENT_IS_OTHER: something else than TCP
 * @SEGMENT_IS_FRAGMENT: a fragment of an IP packet
 * @SEGMENT_IS_CUT: too little of it was captured to know
 */
enum segment_is {
	SEGMENT_IS_TCP,
	SEGMENT_IS_OTHER,
	SEGMENT_IS_FRAGMENT,
	SEGMENT_IS_CUT,
};

static inline bool segment_opens(const struct segment *segment)
{
	return (segment->flags & (TH_SYN | TH_ACK)) == TH_SYN;
}

bool segment_knows_link(int link);
enum segment_is segment_parse(struct segment *segment, int link,
			      const __u8 *data, __u32 captured, __u32 length);

#endif /* ESPTCP_SEGMENT_H */
