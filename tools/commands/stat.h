/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What commands do that print the counters of the network namespace.
 */
#ifndef ESPTCP_STAT_H
#define ESPTCP_STAT_H

#include "lib/netlink.h"

int counters_command(char **args,
		     void (*print)(const struct counters *counters),
		     void (*json)(const struct counters *counters));

#endif /* ESPTCP_STAT_H */
