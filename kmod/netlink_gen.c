// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	kmod/esptcp.yaml, by kmod/ynl-regen.sh */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/esptcp.h>

/* Common nested types */
const struct nla_policy esptcp_profile_nl_policy[ESPTCP_A_PROFILE_IN_WINDOW + 1] = {
	[ESPTCP_A_PROFILE_NAME] = NLA_POLICY_MAX(NLA_U32, 1),
	[ESPTCP_A_PROFILE_FLAGS] = { .type = NLA_U32, },
	[ESPTCP_A_PROFILE_SEQ] = NLA_POLICY_MAX(NLA_U32, 3),
	[ESPTCP_A_PROFILE_SEQ_VALUE] = { .type = NLA_U32, },
	[ESPTCP_A_PROFILE_ACK] = NLA_POLICY_MAX(NLA_U32, 3),
	[ESPTCP_A_PROFILE_ACK_VALUE] = { .type = NLA_U32, },
	[ESPTCP_A_PROFILE_WINDOW] = { .type = NLA_U16, },
	[ESPTCP_A_PROFILE_LENGTH_PREFIX] = NLA_POLICY_MAX(NLA_U32, 1),
	[ESPTCP_A_PROFILE_TIMESTAMPS] = NLA_POLICY_MAX(NLA_U32, 1),
	[ESPTCP_A_PROFILE_IN_WINDOW] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* ESPTCP_CMD_ATTACH - do */
static const struct nla_policy esptcp_attach_nl_policy[ESPTCP_A_CONN_PROFILE + 1] = {
	[ESPTCP_A_CONN_FD] = { .type = NLA_U32, },
	[ESPTCP_A_CONN_FRAMING] = NLA_POLICY_MAX(NLA_U32, 1),
	[ESPTCP_A_CONN_REPLACES] = NLA_POLICY_MIN(NLA_U32, 1),
	[ESPTCP_A_CONN_ROLE] = NLA_POLICY_MAX(NLA_U32, 2),
	[ESPTCP_A_CONN_PROFILE] = NLA_POLICY_NESTED(esptcp_profile_nl_policy),
};

/* ESPTCP_CMD_CONN_GET - do */
static const struct nla_policy esptcp_conn_get_nl_policy[ESPTCP_A_CONN_FD + 1] = {
	[ESPTCP_A_CONN_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[ESPTCP_A_CONN_FD] = { .type = NLA_U32, },
};

/* ESPTCP_CMD_BIND - do */
static const struct nla_policy esptcp_bind_nl_policy[ESPTCP_A_BINDING_DADDR + 1] = {
	[ESPTCP_A_BINDING_CONN_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[ESPTCP_A_BINDING_FD] = { .type = NLA_U32, },
	[ESPTCP_A_BINDING_DIR] = NLA_POLICY_MAX(NLA_U32, 1),
	[ESPTCP_A_BINDING_SPI] = { .type = NLA_U32, },
	[ESPTCP_A_BINDING_DADDR] = { .type = NLA_BINARY, },
};

/* ESPTCP_CMD_UNBIND - do */
static const struct nla_policy esptcp_unbind_nl_policy[ESPTCP_A_BINDING_ALL + 1] = {
	[ESPTCP_A_BINDING_DIR] = NLA_POLICY_MAX(NLA_U32, 1),
	[ESPTCP_A_BINDING_SPI] = { .type = NLA_U32, },
	[ESPTCP_A_BINDING_DADDR] = { .type = NLA_BINARY, },
	[ESPTCP_A_BINDING_ALL] = { .type = NLA_FLAG, },
};

/* ESPTCP_CMD_CONN_SET - do */
static const struct nla_policy esptcp_conn_set_nl_policy[ESPTCP_A_CONN_PROFILE + 1] = {
	[ESPTCP_A_CONN_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[ESPTCP_A_CONN_FD] = { .type = NLA_U32, },
	[ESPTCP_A_CONN_FRAMING] = NLA_POLICY_MAX(NLA_U32, 1),
	[ESPTCP_A_CONN_PROFILE] = NLA_POLICY_NESTED(esptcp_profile_nl_policy),
};

/* Ops table for esptcp */
static const struct genl_split_ops esptcp_nl_ops[] = {
	{
		.cmd		= ESPTCP_CMD_ATTACH,
		.doit		= esptcp_nl_attach_doit,
		.policy		= esptcp_attach_nl_policy,
		.maxattr	= ESPTCP_A_CONN_PROFILE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ESPTCP_CMD_CONN_GET,
		.doit		= esptcp_nl_conn_get_doit,
		.policy		= esptcp_conn_get_nl_policy,
		.maxattr	= ESPTCP_A_CONN_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= ESPTCP_CMD_CONN_GET,
		.dumpit	= esptcp_nl_conn_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= ESPTCP_CMD_BIND,
		.doit		= esptcp_nl_bind_doit,
		.policy		= esptcp_bind_nl_policy,
		.maxattr	= ESPTCP_A_BINDING_DADDR,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ESPTCP_CMD_UNBIND,
		.doit		= esptcp_nl_unbind_doit,
		.policy		= esptcp_unbind_nl_policy,
		.maxattr	= ESPTCP_A_BINDING_ALL,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= ESPTCP_CMD_BINDING_GET,
		.dumpit	= esptcp_nl_binding_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= ESPTCP_CMD_STATS_GET,
		.doit	= esptcp_nl_stats_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ESPTCP_CMD_CONN_SET,
		.doit		= esptcp_nl_conn_set_doit,
		.policy		= esptcp_conn_set_nl_policy,
		.maxattr	= ESPTCP_A_CONN_PROFILE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group esptcp_nl_mcgrps[] = {
	[ESPTCP_NLGRP_EVENTS] = { "events", .flags = GENL_MCAST_CAP_NET_ADMIN, },
};

struct genl_family esptcp_nl_family __ro_after_init = {
	.name		= ESPTCP_FAMILY_NAME,
	.version	= ESPTCP_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= esptcp_nl_ops,
	.n_split_ops	= ARRAY_SIZE(esptcp_nl_ops),
	.mcgrps		= esptcp_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(esptcp_nl_mcgrps),
};
