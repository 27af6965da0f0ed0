/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What "esptcp show" shows: filled by show.c, printed by print.c and json.c.
 */
#ifndef ESPTCP_SNAPSHOT_H
#define ESPTCP_SNAPSHOT_H

#include <stdbool.h>

#include "netlink.h"

/**
 * struct snapshot - all of a network namespace
 * @conns: connections
 * @bindings: the SAs bound to them, or to none any more
 * @bindings_known: the kernel tells them only to those with CAP_NET_ADMIN
 * @total: counters of the namespace
 */
struct snapshot {
	struct conn_list conns;
	struct binding_list bindings;
	bool bindings_known;
	struct counters total;
};

#endif /* ESPTCP_SNAPSHOT_H */
