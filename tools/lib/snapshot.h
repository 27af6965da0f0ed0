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
 * @tcp_error: why @tcps is empty or not complete, or NULL
 * @total: counters of the namespace
 * @message: what the kernel said when it did not tell the rest, or ""
 */
struct snapshot {
	struct conn_list conns;
	struct binding_list bindings;
	bool bindings_known;
	struct tcp_list tcps;
	const char *tcp_error;
	struct counters total;
	char message[GENL_MESSAGE_SIZE];
};

int snapshot_take(struct snapshot *snapshot);
int snapshot_take_or_tell(struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);
const struct tcp *snapshot_tcp(const struct snapshot *snapshot,
			       const struct conn *conn);

#endif /* ESPTCP_SNAPSHOT_H */
