// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: do the SAs have a connection?
 */
#include "doctor.h"

static bool is_stranded(const struct snapshot *snapshot,
			const struct binding *binding)
{
	const struct conn *conn = conn_find(&snapshot->conns,
					   binding->conn_id);

	return !conn || conn->state == ESPTCP_STATE_DOWN;
}

void doctor_sas(struct doctor *doctor)
{
	const struct snapshot *snapshot = &doctor->snapshot;
	size_t stranded = 0;
	size_t i;

	if (!doctor->alive)
		return;
	if (!snapshot->bindings_known) {
		doctor_add(doctor, VERDICT_SKIPPED, "SAs",
			   "run doctor as root", "only root may see the SAs");
		return;
	}

	for (i = 0; i < snapshot->bindings.count; i++)
		stranded += is_stranded(snapshot, &snapshot->bindings.item[i]);
	if (stranded)
		doctor_add(doctor, VERDICT_PROBLEM, "SAs",
			   "\"esptcp monitor\" shows whether the originator reconnects, charon's log why not; if no daemon runs any more: ip xfrm state flush, then esptcp unbind all",
			   "%zu of %zu SAs are bound to connections that have ended: their packets are dropped",
			   stranded, snapshot->bindings.count);
	else if (!snapshot->bindings.count)
		doctor_add(doctor, VERDICT_OK, "SAs", NULL,
			   "no SA is bound to a connection");
	else
		doctor_add(doctor, VERDICT_OK, "SAs", NULL,
			   "%zu SAs, each has a connection that is up",
			   snapshot->bindings.count);
}
