// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: does ESP get through in segments of its own?
 *
 * What a firewall on the way thinks of their sequence numbers cannot be seen
 * from here. But it can be seen that nothing comes back.
 */
#include "finding.h"

/* So many segments without an answer are no chance. */
#define MANY	20

static void examine_conn(struct patient *patient, const struct conn *conn)
{
	const __u64 *value = conn->counters.value;
	const struct tcp *tcp = tcp_find(&patient->snapshot.tcps, conn->inode);
	bool in_window = conn->framing.value[ESPTCP_A_PROFILE_IN_WINDOW];

	if (value[ESPTCP_A_STATS_RX_STREAM_ESP])
		finding_add(patient, VERDICT_WARNING, "framing",
			    "set both ends alike: framing fortinet or rfc9329",
			    "connection %u: the peer sends ESP in the stream, this host in segments",
			    conn->id);
	else if (value[ESPTCP_A_STATS_TX_ESP_FRAMES] >= MANY &&
		 !value[ESPTCP_A_STATS_RX_ESP_FRAMES])
		finding_add(patient, VERDICT_PROBLEM, "framing",
			    "set both ends alike; if they are, a firewall on the way (or connection tracking there) checks sequence numbers: try profile advancing, net.netfilter.nf_conntrack_tcp_be_liberal=1 there, or framing rfc9329",
			    "connection %u: %llu segments were sent, none came back",
			    conn->id, value[ESPTCP_A_STATS_TX_ESP_FRAMES]);
	if (tcp && tcp->known && !tcp->timestamps && in_window)
		finding_add(patient, VERDICT_WARNING, "framing",
			    "sysctl net.ipv4.tcp_timestamps=1 on both ends, or in-window no",
			    "connection %u has no TCP time stamps: only SPIs tell ESP from IKE",
			    conn->id);
}

void examine_framing(struct patient *patient)
{
	const struct conn_list *conns = &patient->snapshot.conns;
	size_t before = patient->findings;
	size_t count = 0;
	size_t i;

	if (!patient->alive)
		return;
	for (i = 0; i < conns->count; i++) {
		const struct conn *conn = &conns->item[i];

		if (conn->framing.kind != ESPTCP_FRAMING_FORTINET ||
		    conn->state == ESPTCP_STATE_DOWN)
			continue;
		count++;
		examine_conn(patient, conn);
	}
	if (count && patient->findings == before)
		finding_add(patient, VERDICT_OK, "framing", NULL,
			    "%zu connections send ESP in segments, and are answered",
			    count);
}
