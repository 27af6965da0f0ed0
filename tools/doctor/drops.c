// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: were packets dropped that should not have been?
 */
#include "doctor.h"
#include "lib/memory.h"

/* These never count up when all is well. */
static const __u32 alarming[] = {
	ESPTCP_A_STATS_TX_DROP_LOOP, ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED,
	ESPTCP_A_STATS_TX_DROP_NOT_ESP, ESPTCP_A_STATS_TX_DROP_UNBOUND,
	ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN, ESPTCP_A_STATS_TX_DROP_TOO_BIG,
	ESPTCP_A_STATS_RX_DROP_IKE_FULL, ESPTCP_A_STATS_RX_DROP_RUNT,
};

void doctor_drops(struct doctor *doctor)
{
	const __u64 *value = doctor->snapshot.total.value;
	size_t before = doctor->findings;
	size_t i;

	if (!doctor->alive)
		return;
	for (i = 0; i < ARRAY_SIZE(alarming); i++) {
		__u32 counter = alarming[i];

		if (value[counter])
			doctor_add(doctor, VERDICT_WARNING, "drops",
				   counters_advice(counter), "%llu x %s: %s",
				   value[counter], counters_name(counter),
				   counters_meaning(counter));
	}
	if (doctor->findings == before)
		doctor_add(doctor, VERDICT_OK, "drops", NULL,
			   "no packet was dropped for an alarming reason");
}
