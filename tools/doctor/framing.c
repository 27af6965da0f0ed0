// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: is the framing the peer's, and does ESP get through in segments of its
 * own?
 *
 * What a firewall on the way thinks of their sequence numbers cannot be seen
 * from here. But it can be seen that nothing comes back.
 */
#include "doctor.h"

/* So many packets without an answer are no chance. */
#define MANY	20

static void examine_silence(struct doctor *doctor, const struct conn *conn)
{
	__u64 sent = conn->counters.value[ESPTCP_A_STATS_TX_ESP_FRAMES];

	if (sent >= MANY)
		doctor_add(doctor, VERDICT_PROBLEM, "framing",
			   "set both ends alike; if they are, a firewall on the way (or connection tracking there) checks sequence numbers: try profile advancing, net.netfilter.nf_conntrack_tcp_be_liberal=1 there, or framing rfc9329",
			   "connection %u: %llu segments were sent, none came back",
			   conn->id, sent);
	else if (sent)
		doctor_add(doctor, VERDICT_OK, "framing", NULL,
			   "connection %u: %llu segment%s sent, none came back yet",
			   conn->id, sent, sent == 1 ? "" : "s");
	else
		doctor_add(doctor, VERDICT_OK, "framing", NULL,
			   "connection %u: no segments of ESP yet", conn->id);
}

static void examine_timestamps(struct doctor *doctor, const struct conn *conn)
{
	const struct tcp *tcp = snapshot_tcp(&doctor->snapshot, conn);

	if (tcp && !tcp->timestamps &&
	    conn->framing.value[ESPTCP_A_PROFILE_IN_WINDOW])
		doctor_add(doctor, VERDICT_WARNING, "framing",
			   "sysctl net.ipv4.tcp_timestamps=1 on both ends, or in-window no if the peer's segments never lie in the window",
			   "connection %u has no TCP time stamps: only SPIs tell ESP from IKE",
			   conn->id);
}

/* Return: whether segments of the peer's come in */
static bool examine_segments(struct doctor *doctor, const struct conn *conn)
{
	const __u64 *value = conn->counters.value;

	examine_timestamps(doctor, conn);
	if (value[ESPTCP_A_STATS_RX_STREAM_ESP]) {
		doctor_add(doctor, VERDICT_PROBLEM, "framing",
			   "set both ends alike: framing fortinet or rfc9329",
			   "connection %u: the peer sends ESP in the stream, this host in segments, which do not get through there",
			   conn->id);
		return false;
	}
	if (!value[ESPTCP_A_STATS_RX_ESP_FRAMES]) {
		examine_silence(doctor, conn);
		return false;
	}

	return true;
}

/* Traffic may be in one direction only, so this is no problem yet. */
static void examine_stream(struct doctor *doctor, const struct conn *conn)
{
	const __u64 *value = conn->counters.value;

	if (value[ESPTCP_A_STATS_TX_ESP_FRAMES] >= MANY &&
	    !value[ESPTCP_A_STATS_RX_ESP_FRAMES])
		doctor_add(doctor, VERDICT_WARNING, "framing",
			   "is the framing set alike at the peer? \"esptcp drops\" there shows what becomes of the frames",
			   "connection %u: ESP goes out (%llu frames), none comes in",
			   conn->id, value[ESPTCP_A_STATS_TX_ESP_FRAMES]);
}

void doctor_framing(struct doctor *doctor)
{
	const struct conn_list *conns = &doctor->snapshot.conns;
	size_t answered = 0;
	size_t i;

	if (!doctor->alive)
		return;
	for (i = 0; i < conns->count; i++) {
		const struct conn *conn = &conns->item[i];

		if (conn->state == ESPTCP_STATE_DOWN)
			continue;
		if (conn->framing.kind == ESPTCP_FRAMING_FORTINET)
			answered += examine_segments(doctor, conn);
		else
			examine_stream(doctor, conn);
	}
	if (answered == 1)
		doctor_add(doctor, VERDICT_OK, "framing", NULL,
			   "1 connection sends ESP in segments, and is answered");
	else if (answered)
		doctor_add(doctor, VERDICT_OK, "framing", NULL,
			   "%zu connections send ESP in segments, and are answered",
			   answered);
}
