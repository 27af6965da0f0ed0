/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints for people, on stdout. main() finds out whether that worked.
 */
#ifndef ESPTCP_PRINT_H
#define ESPTCP_PRINT_H

#include <stdbool.h>

#include "netlink.h"
#include "snapshot.h"

#define AGE_STRLEN	48
#define SIZE_STRLEN	32

/* Columns of a value behind its label, and of a remark behind a number */
#define VALUE_COLUMN	14
#define REMARK_COLUMN	28

const char *age_text(char text[AGE_STRLEN], __u64 seconds, bool brief);
const char *size_text(char text[SIZE_STRLEN], __u64 octets);
void print_label(const char *label);
void print_wrapped(unsigned int column, const char *text);

void print_snapshot(const struct snapshot *snapshot, bool all);
void print_table(const struct snapshot *snapshot);
void print_counters(const struct counters *counters);
void print_event(const struct event *event);

#endif /* ESPTCP_PRINT_H */
