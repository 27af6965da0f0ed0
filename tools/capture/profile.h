/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a capture shows of how ESP is put behind TCP headers, for a direction.
 */
#ifndef ESPTCP_PROFILE_H
#define ESPTCP_PROFILE_H

#include <linux/esptcp.h>

#include "connection.h"

/**
 * enum policy - how a sequence or acknowledgment number is chosen
 * @POLICY_UNKNOWN: in none of these ways
 * @POLICY_FIXED: one value as long as the connection lives
 * @POLICY_SA: one value for each SA
 * @POLICY_SNAPSHOT: it follows the IKE connection's own
 * @POLICY_ADVANCING: it goes on by the payload from packet to packet
 */
enum policy {
	POLICY_UNKNOWN,
	POLICY_FIXED = ESPTCP_POLICY_FIXED + 1,
	POLICY_SA = ESPTCP_POLICY_SA + 1,
	POLICY_SNAPSHOT = ESPTCP_POLICY_SNAPSHOT + 1,
	POLICY_ADVANCING = ESPTCP_POLICY_ADVANCING + 1,
	POLICIES,
};

/**
 * struct count - how many packets were looked at, and how many disagree
 */
struct count {
	size_t all;
	size_t against;
};

/**
 * struct choice - what is known of a number in the header
 * @policy: the simplest that fits best
 * @fits: those that fit as well
 * @count: packets, and those that @policy does not explain
 * @values: different values
 * @value: POLICY_FIXED: the value
 * @offset: POLICY_FIXED: of the value from the stream's first octet;
 *	POLICY_SNAPSHOT: from the stream's octet that is next
 * @offset_acked: POLICY_SNAPSHOT: from the octet up to which it is acknowledged
 * @to_next: @offset is always the same
 * @to_acked: @offset_acked is
 * @span: POLICY_ADVANCING: octets from the lowest to the highest of a run
 * @restarts: POLICY_ADVANCING: how often it went back
 */
struct choice {
	enum policy policy;
	bool fits[POLICIES];
	struct count count;
	size_t values;
	__u32 value;
	__s32 offset;
	__s32 offset_acked;
	bool to_next;
	bool to_acked;
	__u32 span;
	size_t restarts;
};

/**
 * struct window - what is known of the window
 * @known: it is one value, or follows IKE's
 * @follows: it is what the segments of IKE carry
 * @same: both fit
 * @value: the value
 * @count: packets, and those that disagree
 */
struct window {
	bool known;
	bool follows;
	bool same;
	__u16 value;
	struct count count;
};

/**
 * struct profile - the attributes of a direction
 * @way: the direction
 * @sas: SAs that were seen
 * @missing: numbers of ESP packets that were not
 * @flags: TCP's flags of most packets
 * @flags_count: packets, and those with others
 * @acknowledges: the flag ACK is among them
 * @seq: the sequence number
 * @ack: the acknowledgment number, if @acknowledges
 * @window: the window
 * @counts_itself: the length in front, if there is one, includes its own octets
 * @timestamps: packets, and those without the option
 * @below: packets that lie wholly below what had been acknowledged
 * @dont_fragment: packets, and those without the flag
 * @largest: longest IP packet
 * @dscp: values that were seen, a bit for each
 * @ecn: likewise
 * @options: kinds of TCP options other than timestamps, likewise
 */
struct profile {
	const struct way *way;
	size_t sas;
	size_t missing;
	__u8 flags;
	struct count flags_count;
	bool acknowledges;
	struct choice seq;
	struct choice ack;
	struct window window;
	bool counts_itself;
	struct count timestamps;
	size_t below;
	struct count dont_fragment;
	__u32 largest;
	__u64 dscp;
	__u8 ecn;
	__u64 options;
};

void profile_infer(struct profile *profile, const struct way *way,
		   const struct way *back);
const char *policy_text(enum policy policy);
bool count_convinces(const struct count *count);

#endif /* ESPTCP_PROFILE_H */
