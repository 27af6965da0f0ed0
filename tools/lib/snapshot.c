// SPDX-License-Identifier: GPL-2.0
/*
 * Takes a snapshot, for the commands that show things.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "snapshot.h"

/* Connections are public, as in /proc/net/tcp; SPIs are not. */
static int take_bindings(struct genl *genl, struct snapshot *snapshot)
{
	int err = binding_dump(genl, &snapshot->bindings);

	snapshot->bindings_known = !err;

	return err == -EPERM ? 0 : err;
}

/**
 * snapshot_take() - ask the kernel for everything
 * @snapshot: filled; to be freed by snapshot_free() whatever the outcome
 *
 * Return: 0, also if TCP's view alone is missing; or a negative errno with the
 *	kernel's words in @snapshot
 */
int snapshot_take(struct snapshot *snapshot)
{
	struct genl genl;
	int err;

	memset(snapshot, 0, sizeof(*snapshot));
	err = genl_open(&genl);
	if (!err) {
		err = conn_dump(&genl, &snapshot->conns);
		if (!err)
			err = take_bindings(&genl, snapshot);
		if (!err)
			err = counters_get(&genl, &snapshot->total);
		genl_close(&genl);
	}
	if (err)
		memcpy(snapshot->message, genl.message, sizeof(genl.message));
	else if (snapshot->conns.count)
		snapshot->tcp_error = tcp_dump(TCP_STATES_CONNECTED,
					       &snapshot->tcps);

	return err;
}

/**
 * snapshot_take_or_tell() - take a snapshot, and tell the user what is missing
 * @snapshot: as for snapshot_take()
 *
 * Return: 0, or the exit status
 */
int snapshot_take_or_tell(struct snapshot *snapshot)
{
	int err = snapshot_take(snapshot);

	if (err)
		return error_kernel(err, snapshot->message, NULL);
	if (snapshot->tcp_error)
		fprintf(stderr,
			"esptcp: TCP's view is missing, the kernel does not list its sockets: %s\n"
			"  load the module that does: modprobe tcp_diag\n",
			snapshot->tcp_error);

	return 0;
}

/**
 * snapshot_free() - free what a snapshot points to
 * @snapshot: the snapshot
 */
void snapshot_free(struct snapshot *snapshot)
{
	free(snapshot->conns.item);
	free(snapshot->bindings.item);
	free(snapshot->tcps.item);
}

/**
 * snapshot_tcp() - TCP's view of a connection
 * @snapshot: the snapshot
 * @conn: one of its connections
 *
 * Return: what TCP says; NULL if it says nothing, as of one that has ended
 */
const struct tcp *snapshot_tcp(const struct snapshot *snapshot,
			       const struct conn *conn)
{
	const struct tcp *tcp = tcp_find(&snapshot->tcps, conn->inode);

	return tcp && tcp->known ? tcp : NULL;
}
