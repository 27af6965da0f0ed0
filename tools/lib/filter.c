// SPDX-License-Identifier: GPL-2.0
/*
 * Reads filters from the arguments and applies them to a snapshot.
 */
#include <string.h>

#include "array.h"
#include "filter.h"
#include "names.h"
#include "args.h"
#include "error.h"

static int take_state(char ***args, struct filter *filter)
{
	const char *name = (*args)[0];

	if (!name || !names_number(&state_names, name, &filter->state))
		return args_error("'up' or 'down'", name);
	filter->by_state = true;
	(*args)++;

	return 0;
}

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

/**
 * filter_take() - read filters until the arguments are something else
 * @args: the arguments
 * @filter: filled
 *
 * Return: 0, or the exit status after the user has been told
 */
int filter_take(char ***args, struct filter *filter)
{
	int status = 0;

	memset(filter, 0, sizeof(*filter));
	while (!status && (*args)[0]) {
		const char *keyword = *(*args)++;

		if (!strcmp(keyword, "id"))
			status = args_id(args, &filter->id);
		else if (!strcmp(keyword, "peer"))
			status = args_network(args, &filter->peer,
					      &filter->peer_bits);
		else if (!strcmp(keyword, "port"))
			status = args_port(args, &filter->port);
		else if (!strcmp(keyword, "state"))
			status = take_state(args, filter);
		else
			status = args_error("id, peer, port or state", keyword);
		filter->any = true;
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
		if (snapshot_conn(snapshot, list->item[i].conn_id))
			list->item[kept++] = list->item[i];
	}
	list->count = kept;
}

/**
 * filter_apply() - remove the connections that do not pass
 * @filter: the filter
 * @snapshot: changed
 */
void filter_apply(const struct filter *filter, struct snapshot *snapshot)
{
	struct conn_list *list = &snapshot->conns;
	size_t kept = 0;
	size_t i;

	if (!filter->any)
		return;

	for (i = 0; i < list->count; i++) {
		if (passes(filter, &list->item[i]))
			list->item[kept++] = list->item[i];
	}
	list->count = kept;
	filter_bindings(snapshot);
}
