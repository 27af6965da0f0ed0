/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints for programs, on stdout. main() finds out whether that worked.
 */
#ifndef ESPTCP_JSON_H
#define ESPTCP_JSON_H

#include "netlink.h"
#include "snapshot.h"

void json_snapshot(const struct snapshot *snapshot);
void json_counters(const struct counters *counters);

#endif /* ESPTCP_JSON_H */
