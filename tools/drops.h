/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters that are reasons why packets were dropped.
 */
#ifndef ESPTCP_DROPS_H
#define ESPTCP_DROPS_H

#include <stdbool.h>

#include "netlink.h"

bool is_drop(__u32 counter);
const char *drop_advice(__u32 counter);
__u64 drops_of(const struct counters *counters, const char *prefix);

#endif /* ESPTCP_DROPS_H */
