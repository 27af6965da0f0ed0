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

/**
 * struct filter - what a connection has to be like; 0 lets everything pass
 * @id: its number
 * @peer: the network of the peer's address
 * @peer_bits: how many bits of @peer count
 * @port: of either end
 * @by_state: @state counts
 * @state: enum esptcp_state
 * @any: the user named something
 */
struct filter {
	__u32 id;
	struct address peer;
	__u32 peer_bits;
	__u32 port;
	bool by_state;
	__u32 state;
	bool any;
};

bool filter_begins(const char *word);
int filter_take(char ***args, struct filter *filter);
void filter_apply(const struct filter *filter, struct snapshot *snapshot);

#endif /* ESPTCP_FILTER_H */
