/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that the kernel knows of a network namespace, at one time.
 */
#ifndef ESPTCP_SNAPSHOT_H
#define ESPTCP_SNAPSHOT_H

#include <stdbool.h>

#include "netlink.h"
#include "tcp.h"

/**
 * struct snapshot - all of a network namespace
 * @conns: connections
 * @bindings: the SAs bound to them, or to none any more
 * @bindings_known: the kernel tells them only to those with CAP_NET_ADMIN
 * @tcps: TCP's view of the connections, and of others
 * @total: counters of the namespace
 */
struct snapshot {
	struct conn_list conns;
	struct binding_list bindings;
	bool bindings_known;
	struct tcp_list tcps;
	struct counters total;
};

int snapshot_take(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);
const struct conn *snapshot_conn(const struct snapshot *snapshot, __u32 id);

#endif /* ESPTCP_SNAPSHOT_H */
