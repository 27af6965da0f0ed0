/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_STATS_H
#define ESPTCP_STATS_H

#include "types.h"

extern const char * const esptcp_stat_names[__ESPTCP_A_STATS_MAX];

void esptcp_count(struct net *net, struct esptcp_conn *conn, int stat, u64 n);
void esptcp_count_packets(struct net *net, struct esptcp_conn *conn, int stat,
			  u64 packets, u64 bytes);
unsigned int esptcp_packets(const struct sk_buff *skb);
void esptcp_drop(struct net *net, struct esptcp_conn *conn,
		 struct sk_buff *skb, int stat);
void esptcp_drop_queue(struct net *net, struct esptcp_conn *conn,
		       struct sk_buff_head *queue, int stat);
u64 esptcp_mib_read(const struct esptcp_net *en, int stat);

#endif /* ESPTCP_STATS_H */
