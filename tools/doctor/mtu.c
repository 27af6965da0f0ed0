// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: does TCP get through, and what does it do without?
 */
#include "doctor.h"

/* Retransmissions of the same segment without an answer */
#define STUCK		3

/* A segment that is smaller passes anywhere: IPv6 wants an MTU of 1280. */
#define SMALL_MSS	1200

static void examine_connection(struct doctor *doctor, const struct conn *conn,
			       const struct tcp *tcp)
{
	if (tcp->backoff >= STUCK && tcp->unacked && tcp->mss > SMALL_MSS)
		doctor_add(doctor, VERDICT_PROBLEM, "MTU",
			   "if small packets pass, ICMP is filtered: sysctl -w net.ipv4.tcp_mtu_probing=1, or lower the MTU of the route to the peer; if none pass, the path is broken",
			   "connection %u is stuck: %u segments of up to %u octets are not acknowledged after %u attempts",
			   conn->id, tcp->unacked, tcp->mss, tcp->backoff);
	else if (tcp->mss < SMALL_MSS)
		doctor_add(doctor, VERDICT_WARNING, "MTU",
			   "raise the MTU of the devices on the path, or take out the TCP MSS clamp that is too low",
			   "connection %u has segments of %u octets only, which costs speed",
			   conn->id, tcp->mss);
	if (!tcp->sack || !tcp->window_scaling)
		doctor_add(doctor, VERDICT_WARNING, "TCP",
			   "see the sysctls net.ipv4.tcp_sack and tcp_window_scaling here and at the peer; a proxy on the path may remove them, too",
			   "connection %u works without %s, which costs speed",
			   conn->id, tcp->sack ? "window scaling" :
			   tcp->window_scaling ? "SACK" :
			   "SACK and window scaling");
}

void doctor_mtu(struct doctor *doctor)
{
	const struct snapshot *snapshot = &doctor->snapshot;
	size_t before = doctor->findings;
	size_t i;

	if (!doctor->alive || !snapshot->conns.count)
		return;
	if (snapshot->tcp_error)
		doctor_add(doctor, VERDICT_SKIPPED, "MTU", "modprobe tcp_diag",
			   "TCP's view of the connections is missing, the kernel does not list its sockets: %s",
			   snapshot->tcp_error);
	for (i = 0; i < snapshot->conns.count; i++) {
		const struct conn *conn = &snapshot->conns.item[i];
		const struct tcp *tcp = snapshot_tcp(snapshot, conn);

		if (tcp && conn->state == ESPTCP_STATE_UP)
			examine_connection(doctor, conn, tcp);
	}
	if (doctor->findings == before)
		doctor_add(doctor, VERDICT_OK, "MTU", NULL,
			   "no connection is stuck, segments have a good size");
}
