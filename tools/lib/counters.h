/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters of a connection or of a network namespace.
 */
#ifndef ESPTCP_COUNTERS_H
#define ESPTCP_COUNTERS_H

#include <stdbool.h>

#include <linux/esptcp.h>
#include <linux/types.h>

struct json_object;

/* What the names of those contain that are reasons why packets were dropped */
#define COUNTERS_ALL	""
#define COUNTERS_DROPS	"-drop-"
#define COUNTERS_IN	"rx-drop-"
#define COUNTERS_OUT	"tx-drop-"

/**
 * struct counters - the counters of a connection or of a network namespace
 * @value: indexed by their attribute's number, as counter_names
 */
struct counters {
	__u64 value[ESPTCP_A_STATS_MAX + 1];
};

bool counters_next(const char *part, __u32 *i);
__u64 counters_sum(const struct counters *counters, const char *part);
const char *counters_name(__u32 i);
const char *counters_meaning(__u32 i);
const char *counters_advice(__u32 i);
struct json_object *counters_json(const struct counters *counters);

#endif /* ESPTCP_COUNTERS_H */
