/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A connection's framing with the attributes of its TCP headers, as words of
 * the command line and as attributes of netlink. What they mean is in
 * kmod/esptcp.yaml and kmod/README.md.
 */
#ifndef ESPTCP_FRAMING_H
#define ESPTCP_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/esptcp.h>
#include <linux/types.h>

struct json_object;
struct nl_msg;
struct nlattr;

#define FRAMING_OPTIONS \
	"[profile fortios|advancing]\n" \
	"       [flags FLAGS] [seq POLICY] [seq-value N] [ack POLICY] [ack-value N]\n" \
	"       [window N|snapshot] [length-prefix yes|no] [timestamps yes|no]\n" \
	"       [in-window yes|no]"

/* Longest text */
#define FRAMING_STRLEN	256

/**
 * struct framing - how ESP is put on the wire
 * @kind: enum esptcp_framing
 * @set: which values are known, a bit for each
 * @value: attributes, indexed by ESPTCP_A_PROFILE_*
 */
struct framing {
	__u32 kind;
	__u32 set;
	__u32 value[ESPTCP_A_PROFILE_MAX + 1];
};

bool framing_begins(const char *keyword);
int framing_take(char ***args, const char *keyword, struct framing *framing);
int framing_put(struct nl_msg *msg, const struct framing *framing);
void framing_get(struct framing *framing, __u32 kind, struct nlattr *nest);
const char *framing_text(const struct framing *framing,
			 char text[FRAMING_STRLEN]);
void framing_json(struct json_object *object, const struct framing *framing);

#endif /* ESPTCP_FRAMING_H */
