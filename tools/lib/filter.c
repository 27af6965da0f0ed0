// SPDX-License-Identifier: GPL-2.0
/*
 * Reads filters from the arguments and applies them to a snapshot.
 */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "error.h"
#include "filter.h"
#include "memory.h"

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

/**
 * filter_begins() - see whether a word begins a filter
 * @word: the word
 *
 * Return: true if it does
 */
bool filter_begins(const char *word)
{
	static const char * const keywords[] = { "id", "peer", "port", "state" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keywords); i++) {
		if (!strcmp(word, keywords[i]))
			return true;
	}

	return false;
}

/* Read filters until the arguments end. */
static int take_filter(char **args, struct filter *filter)
{
	int status = 0;

	memset(filter, 0, sizeof(*filter));
	while (!status && args[0]) {
		const char *keyword = *args++;

		filter->any = true;
		if (!strcmp(keyword, "id")) {
			status = args_id(&args, &filter->id);
		} else if (!strcmp(keyword, "peer")) {
			status = args_network(&args, &filter->peer,
					      &filter->peer_bits);
		} else if (!strcmp(keyword, "port")) {
			status = args_port(&args, &filter->port);
		} else if (!strcmp(keyword, "state")) {
			filter->by_state = true;
			status = args_name(&args, "'up' or 'down'",
					   &state_names, &filter->state);
		} else {
			status = args_error("id, peer, port or state",
					    keyword);
		}
	}

	return status;
}

static bool in_network(const struct address *address,
		       const struct address *network, __u32 bits)
{
	__u32 octets = bits / 8;
	__u8 mask = ~(0xff >> bits % 8);

	if (address->len != network->len ||
	    memcmp(address->octets, network->octets, octets))
		return false;

	return !mask || !((address->octets[octets] ^ network->octets[octets]) &
			  mask);
}

static bool passes(const struct filter *filter, const struct conn *conn)
{
	if (filter->id && conn->id != filter->id)
		return false;
	if (filter->peer.len &&
	    !in_network(&conn->remote, &filter->peer, filter->peer_bits))
		return false;
	if (filter->port && conn->local_port != filter->port &&
	    conn->remote_port != filter->port)
		return false;

	return !filter->by_state || conn->state == filter->state;
}

/* Bindings without a connection pass only if all of them do. */
static void filter_bindings(struct snapshot *snapshot)
{
	struct binding_list *list = &snapshot->bindings;
	size_t kept = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (conn_find(&snapshot->conns, list->item[i].conn_id))
			list->item[kept++] = list->item[i];
	}
	list->count = kept;
}

/* Remove the connections that do not pass, and their SAs. */
static void apply(const struct filter *filter, struct snapshot *snapshot)
{
	struct conn_list *list = &snapshot->conns;
	size_t kept = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (passes(filter, &list->item[i]))
			list->item[kept++] = list->item[i];
	}
	list->count = kept;
	filter_bindings(snapshot);
}

/**
 * filter_snapshot() - take a snapshot of what the arguments want
 * @args: the arguments, which have to be filters
 * @snapshot: filled; to be freed by snapshot_free() whatever the outcome
 * @all: set if there is no filter
 *
 * Return: 0, or the exit status after the user has been told
 */
int filter_snapshot(char **args, struct snapshot *snapshot, bool *all)
{
	struct filter filter;
	char what[64];
	int status;

	memset(snapshot, 0, sizeof(*snapshot));
	status = take_filter(args, &filter);
	if (!status)
		status = snapshot_take_or_tell(snapshot);
	if (status)
		return status;

	*all = !filter.any;
	if (filter.id && !conn_find(&snapshot->conns, filter.id)) {
		snprintf(what, sizeof(what), "there is no connection %u",
			 filter.id);
		return error_print(what, "\"esptcp show\" lists them");
	}
	if (filter.any)
		apply(&filter, snapshot);

	return 0;
}
