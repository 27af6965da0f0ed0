// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: do the SAs have a connection?
 */
#include "finding.h"

static bool is_stranded(const struct snapshot *snapshot,
			const struct binding *binding)
{
	const struct conn *conn = snapshot_conn(snapshot, binding->conn_id);

	return !conn || conn->state == ESPTCP_STATE_DOWN;
}

void examine_sas(struct patient *patient)
{
	const struct snapshot *snapshot = &patient->snapshot;
	size_t stranded = 0;
	size_t i;

	if (!patient->alive)
		return;
	if (!snapshot->bindings_known) {
		finding_add(patient, VERDICT_SKIPPED, "SAs",
			    "run doctor as root", "only root may see the SAs");
		return;
	}

	for (i = 0; i < snapshot->bindings.count; i++)
		stranded += is_stranded(snapshot, &snapshot->bindings.item[i]);
	if (stranded)
		finding_add(patient, VERDICT_PROBLEM, "SAs",
			    "\"esptcp monitor\" shows whether the originator reconnects, charon's log why not; if no daemon runs any more: ip xfrm state flush, then esptcp unbind all",
			    "%zu of %zu SAs are bound to connections that have ended: their packets are dropped",
			    stranded, snapshot->bindings.count);
	else if (!snapshot->bindings.count)
		finding_add(patient, VERDICT_OK, "SAs", NULL,
			    "no SA is bound to a connection");
	else
		finding_add(patient, VERDICT_OK, "SAs", NULL,
			    "%zu SAs, each has a connection that is up",
			    snapshot->bindings.count);
}
