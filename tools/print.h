/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints for people, on stdout. main() finds out whether that worked.
 */
#ifndef ESPTCP_PRINT_H
#define ESPTCP_PRINT_H

#include "netlink.h"
#include "snapshot.h"

void print_snapshot(const struct snapshot *snapshot);
void print_counters(const struct counters *counters);
void print_event(const struct event *event);

#endif /* ESPTCP_PRINT_H */
