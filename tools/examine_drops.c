// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: were packets dropped that should not have been?
 */
#include "drops.h"
#include "finding.h"
#include "names.h"

/* These never count up when all is well. */
static const __u32 alarming[] = {
	ESPTCP_A_STATS_TX_DROP_LOOP, ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED,
	ESPTCP_A_STATS_TX_DROP_NOT_ESP, ESPTCP_A_STATS_TX_DROP_UNBOUND,
	ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN, ESPTCP_A_STATS_TX_DROP_TOO_BIG,
	ESPTCP_A_STATS_RX_DROP_IKE_FULL, ESPTCP_A_STATS_RX_DROP_RUNT,
};

void examine_drops(struct patient *patient)
{
	const __u64 *value = patient->snapshot.total.value;
	size_t before = patient->findings;
	size_t i;

	if (!patient->alive)
		return;
	for (i = 0; i < ARRAY_SIZE(alarming); i++) {
		const struct word *word = word_of(&counter_names, alarming[i]);

		if (value[alarming[i]])
			finding_add(patient, VERDICT_WARNING, "drops",
				    drop_advice(alarming[i]), "%llu x %s: %s",
				    value[alarming[i]], word->name, word->doc);
	}
	if (patient->findings == before)
		finding_add(patient, VERDICT_OK, "drops", NULL,
			    "no packet was dropped for an alarming reason");
}
