// SPDX-License-Identifier: GPL-2.0
/*
 * Profiles: what is not publicly known of the TCP headers that FortiOS puts in
 * front of ESP packets, as attributes of a connection. A profile is parsed
 * once, from the request that attaches the socket, and then only read.
 */
#include <net/tcp.h>

#include "netlink_gen.h"
#include "profile.h"

static const struct esptcp_profile profiles[] = {
	[ESPTCP_PROFILE_NAME_FORTIOS] = {
		.name = ESPTCP_PROFILE_NAME_FORTIOS,
		.flags = TCPHDR_ACK,
		.seq = ESPTCP_POLICY_SA,
		.ack = ESPTCP_POLICY_SA,
		.in_window = true,
	},
	[ESPTCP_PROFILE_NAME_ADVANCING] = {
		.name = ESPTCP_PROFILE_NAME_ADVANCING,
		.flags = TCPHDR_ACK,
		.seq = ESPTCP_POLICY_ADVANCING,
		.ack = ESPTCP_POLICY_SNAPSHOT,
	},
};

static void get_u8(struct nlattr *attr, u8 *to)
{
	if (attr)
		*to = nla_get_u32(attr);
}

static void get_bool(struct nlattr *attr, bool *to)
{
	if (attr)
		*to = nla_get_u32(attr);
}

static int get_flags(struct nlattr *attr, u8 *to,
		     struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	if (!nla_get_u32(attr) || nla_get_u32(attr) & ~(TCPHDR_ACK | TCPHDR_PSH)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a segment's flags are ACK (0x10), PSH (0x08) or both");
		return -EINVAL;
	}
	*to = nla_get_u32(attr);
	return 0;
}

/* A number makes sense with the policy fixed only. */
static int get_number(struct nlattr *attr, u8 policy, bool *has, u32 *to,
		      struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	if (policy != ESPTCP_POLICY_FIXED) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a number goes with the policy fixed only");
		return -EINVAL;
	}
	*has = true;
	*to = nla_get_u32(attr);
	return 0;
}

static int parse_attrs(struct nlattr **tb, struct esptcp_profile *profile,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *window = tb[ESPTCP_A_PROFILE_WINDOW];
	int err;

	get_u8(tb[ESPTCP_A_PROFILE_SEQ], &profile->seq);
	get_u8(tb[ESPTCP_A_PROFILE_ACK], &profile->ack);
	get_bool(tb[ESPTCP_A_PROFILE_LENGTH_PREFIX], &profile->length_prefix);
	get_bool(tb[ESPTCP_A_PROFILE_TIMESTAMPS], &profile->timestamps);
	get_bool(tb[ESPTCP_A_PROFILE_IN_WINDOW], &profile->in_window);
	if (window) {
		profile->has_window = true;
		profile->window = nla_get_u16(window);
	}
	err = get_flags(tb[ESPTCP_A_PROFILE_FLAGS], &profile->flags, extack);
	if (!err)
		err = get_number(tb[ESPTCP_A_PROFILE_SEQ_VALUE], profile->seq,
				 &profile->has_seq_value, &profile->seq_value,
				 extack);
	if (!err)
		err = get_number(tb[ESPTCP_A_PROFILE_ACK_VALUE], profile->ack,
				 &profile->has_ack_value, &profile->ack_value,
				 extack);
	return err;
}

/**
 * esptcp_profile_parse() - read a profile from a request
 * @nest: the attribute ESPTCP_A_CONN_PROFILE, or NULL for the default
 * @profile: is filled
 * @extack: for errors
 *
 * Return: 0 or a negative errno
 */
int esptcp_profile_parse(const struct nlattr *nest,
			 struct esptcp_profile *profile,
			 struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ESPTCP_A_PROFILE_MAX + 1] = { };
	u8 name = ESPTCP_PROFILE_NAME_FORTIOS;
	int err;

	if (nest) {
		err = nla_parse_nested(tb, ESPTCP_A_PROFILE_MAX, nest,
				       esptcp_profile_nl_policy, extack);
		if (err)
			return err;
	}
	get_u8(tb[ESPTCP_A_PROFILE_NAME], &name);
	*profile = profiles[name];
	return parse_attrs(tb, profile, extack);
}

static int put_attrs(struct sk_buff *skb, const struct esptcp_profile *p)
{
	if (nla_put_u32(skb, ESPTCP_A_PROFILE_NAME, p->name) ||
	    nla_put_u32(skb, ESPTCP_A_PROFILE_FLAGS, p->flags) ||
	    nla_put_u32(skb, ESPTCP_A_PROFILE_SEQ, p->seq) ||
	    (p->has_seq_value &&
	     nla_put_u32(skb, ESPTCP_A_PROFILE_SEQ_VALUE, p->seq_value)) ||
	    nla_put_u32(skb, ESPTCP_A_PROFILE_ACK, p->ack) ||
	    (p->has_ack_value &&
	     nla_put_u32(skb, ESPTCP_A_PROFILE_ACK_VALUE, p->ack_value)) ||
	    (p->has_window &&
	     nla_put_u16(skb, ESPTCP_A_PROFILE_WINDOW, p->window)) ||
	    nla_put_u32(skb, ESPTCP_A_PROFILE_LENGTH_PREFIX,
			p->length_prefix) ||
	    nla_put_u32(skb, ESPTCP_A_PROFILE_TIMESTAMPS, p->timestamps) ||
	    nla_put_u32(skb, ESPTCP_A_PROFILE_IN_WINDOW, p->in_window))
		return -EMSGSIZE;
	return 0;
}

/**
 * esptcp_profile_put() - write a profile into an answer
 * @skb: the answer
 * @profile: the profile
 *
 * Return: 0 or -EMSGSIZE
 */
int esptcp_profile_put(struct sk_buff *skb,
		       const struct esptcp_profile *profile)
{
	struct nlattr *nest = nla_nest_start(skb, ESPTCP_A_CONN_PROFILE);

	if (!nest || put_attrs(skb, profile))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}
