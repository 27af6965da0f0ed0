/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_PROFILE_H
#define ESPTCP_PROFILE_H

#include <net/netlink.h>

#include "types.h"

int esptcp_profile_parse(const struct nlattr *nest,
			 struct esptcp_profile *profile,
			 struct netlink_ext_ack *extack);
int esptcp_profile_put(struct sk_buff *skb,
		       const struct esptcp_profile *profile);

#endif /* ESPTCP_PROFILE_H */
