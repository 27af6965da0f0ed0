/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters that are reasons why packets were dropped.
 */
#ifndef ESPTCP_DROPS_H
#define ESPTCP_DROPS_H

#include <stdbool.h>

#include "lib/netlink.h"

bool counters_is_drop(__u32 counter);
const char *counters_advice(__u32 counter);
__u64 counters_sum(const struct counters *counters, const char *prefix);

#endif /* ESPTCP_DROPS_H */
