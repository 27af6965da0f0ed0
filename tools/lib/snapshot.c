// SPDX-License-Identifier: GPL-2.0
/*
 * Takes a snapshot, for the commands that show things.
 */
#include <errno.h>
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

static int take(struct genl *genl, struct snapshot *snapshot)
{
	int err;

	err = conn_dump(genl, &snapshot->conns);
	if (!err)
		err = take_bindings(genl, snapshot);
	if (!err)
		err = stats_get(genl, &snapshot->total);
	if (!err && snapshot->conns.count)
		err = tcp_dump(genl, TCP_STATES_CONNECTED, &snapshot->tcps);

	return err;
}

/**
 * snapshot_take() - ask the kernel for everything
 * @snapshot: filled; to be freed by snapshot_free() whatever the outcome
 *
 * Return: 0, or the exit status after the user has been told
 */
int snapshot_take(struct snapshot *snapshot)
{
	struct genl genl;
	int err;

	memset(snapshot, 0, sizeof(*snapshot));
	err = genl_open(&genl);
	if (err)
		return error_kernel(&genl, err, NULL);

	err = take(&genl, snapshot);
	genl_close(&genl);

	return err ? error_kernel(&genl, err, NULL) : 0;
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
 * snapshot_conn() - find a connection by its number
 * @snapshot: the snapshot
 * @id: the number
 *
 * Return: the connection, or NULL
 */
const struct conn *snapshot_conn(const struct snapshot *snapshot, __u32 id)
{
	size_t i;

	for (i = 0; i < snapshot->conns.count; i++) {
		if (snapshot->conns.item[i].id == id)
			return &snapshot->conns.item[i];
	}

	return NULL;
}
