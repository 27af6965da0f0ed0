/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module counts in the caller's network namespace: the names in
 * /proc/net/esptcp_stat and, beside them, "connections" (/proc/net/esptcp) and
 * "references" to the module (in all namespaces).
 */
#ifndef COUNTER_H
#define COUNTER_H

long long counter(const char *name);
int counter_reaches(const char *name, long long value);
int counter_exceeds(const char *name, long long value);

#endif /* COUNTER_H */
