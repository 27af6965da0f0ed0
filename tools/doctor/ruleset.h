/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of nftables, and what becomes of a packet in them.
 */
#ifndef ESPTCP_RULESET_H
#define ESPTCP_RULESET_H

#include <stdbool.h>

#include <linux/types.h>

struct json_object;

/**
 * struct packet - what is known about a packet of TCP
 * @family: "ip" or "ip6"
 * @inet: it is looked for in tables for both families, too
 * @hooks: hooks that it passes
 * @sport: source port
 * @dport: destination port
 * @state: how connection tracking calls it
 */
struct packet {
	const char *family;
	bool inet;
	const char *hooks[2];
	__u32 sport;
	__u32 dport;
	const char *state;
};

/**
 * enum outcome - what becomes of a packet
 * @OUTCOME_OPEN: nothing drops it, or what it has besides decides
 * @OUTCOME_UNCERTAIN: it is dropped unless something accepts it whose ways are
 *	not known: a program with a queue, a match of iptables, NAT
 * @OUTCOME_DROPPED: it is dropped, whatever it has besides
 */
enum outcome { OUTCOME_OPEN, OUTCOME_UNCERTAIN, OUTCOME_DROPPED };

struct json_object *ruleset_take(void);
enum outcome ruleset_follow(struct json_object *ruleset,
			    const struct packet *packet,
			    struct json_object **chain);

#endif /* ESPTCP_RULESET_H */
