/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which connections a command is about, as its arguments say.
 */
#ifndef ESPTCP_FILTER_H
#define ESPTCP_FILTER_H

#include <stdbool.h>

#include "snapshot.h"

#define FILTER_ARGUMENTS \
	" [id ID] [peer ADDRESS[/LENGTH]] [port PORT] [state up|down]"

bool filter_begins(const char *word);
int filter_snapshot(char **args, struct snapshot *snapshot, bool *all);

#endif /* ESPTCP_FILTER_H */
