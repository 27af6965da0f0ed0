/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_NETLINK_H
#define ESPTCP_NETLINK_H

#include "types.h"

int esptcp_nl_init(void);
void esptcp_nl_exit(void);
void esptcp_nl_conn_event(struct esptcp_conn *conn, u8 cmd);
void esptcp_nl_rebind_event(struct net *net, const struct esptcp_binding *b,
			    u32 conn_id);

#endif /* ESPTCP_NETLINK_H */
