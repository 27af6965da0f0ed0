/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_PROC_H
#define ESPTCP_PROC_H

#include <net/net_namespace.h>

int esptcp_proc_net_init(struct net *net);
void esptcp_proc_net_exit(struct net *net);

#endif /* ESPTCP_PROC_H */
