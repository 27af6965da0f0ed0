/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	kmod/esptcp.yaml, by kmod/ynl-regen.sh */
/* YNL-GEN kernel header */

#ifndef _LINUX_ESPTCP_GEN_H
#define _LINUX_ESPTCP_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/esptcp.h>

/* Common nested types */
extern const struct nla_policy esptcp_profile_nl_policy[ESPTCP_A_PROFILE_IN_WINDOW + 1];

int esptcp_nl_attach_doit(struct sk_buff *skb, struct genl_info *info);
int esptcp_nl_conn_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptcp_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int esptcp_nl_bind_doit(struct sk_buff *skb, struct genl_info *info);
int esptcp_nl_unbind_doit(struct sk_buff *skb, struct genl_info *info);
int esptcp_nl_binding_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int esptcp_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptcp_nl_conn_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	ESPTCP_NLGRP_EVENTS,
};

extern struct genl_family esptcp_nl_family;

#endif /* _LINUX_ESPTCP_GEN_H */
