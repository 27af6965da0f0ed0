// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: does TCP get through, and may it be fast?
 */
#include <stdio.h>

#include "doctor.h"

#define SYSCTL		"/proc/sys/net/ipv4/"

/* A window of this lets 8 Mbit/s through at a round-trip time of a second. */
#define ENOUGH_MEMORY	1048576

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

void doctor_path(struct doctor *doctor)
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

/* Read the number at a position of a sysctl; -1 if there is none. */
static long read_sysctl(const char *path, unsigned int position)
{
	FILE *file = fopen(path, "r");
	long value = -1;

	if (!file)
		return -1;
	do {
		if (fscanf(file, "%ld", &value) != 1)
			value = -1;
	} while (position--);
	fclose(file);

	return value;
}

static void examine_switch(struct doctor *doctor, const char *path,
			   const char *name, const char *remedy)
{
	if (!read_sysctl(path, 0))
		doctor_add(doctor, VERDICT_WARNING, "TCP", remedy,
			   "%s is off, which makes TCP slow where packets get lost or the path is long",
			   name);
}

/* Time stamps cost nothing; some switch them off to hide the uptime. */
static void examine_timestamps(struct doctor *doctor)
{
	if (!read_sysctl(SYSCTL "tcp_timestamps", 0))
		doctor_add(doctor, VERDICT_WARNING, "TCP",
			   "sysctl -w net.ipv4.tcp_timestamps=1",
			   "net.ipv4.tcp_timestamps is off: TCP measures round-trip times worse and does not recognise old segments (PAWS); with fortinet framing, segments are told apart by SPI alone");
}

static void examine_memory(struct doctor *doctor, const char *path,
			   const char *name, const char *remedy)
{
	long value = read_sysctl(path, 2);

	if (value >= 0 && value < ENOUGH_MEMORY)
		doctor_add(doctor, VERDICT_WARNING, "TCP", remedy,
			   "%s lets a connection have %ld octets at most, which makes long paths slow",
			   name, value);
}

void doctor_tcp(struct doctor *doctor)
{
	size_t before = doctor->findings;

	examine_switch(doctor, SYSCTL "tcp_sack", "net.ipv4.tcp_sack",
		       "sysctl -w net.ipv4.tcp_sack=1");
	examine_switch(doctor, SYSCTL "tcp_window_scaling",
		       "net.ipv4.tcp_window_scaling",
		       "sysctl -w net.ipv4.tcp_window_scaling=1");
	examine_switch(doctor, SYSCTL "tcp_moderate_rcvbuf",
		       "net.ipv4.tcp_moderate_rcvbuf",
		       "sysctl -w net.ipv4.tcp_moderate_rcvbuf=1");
	examine_timestamps(doctor);
	examine_memory(doctor, SYSCTL "tcp_rmem", "net.ipv4.tcp_rmem",
		       "sysctl -w net.ipv4.tcp_rmem=\"4096 131072 6291456\"");
	examine_memory(doctor, SYSCTL "tcp_wmem", "net.ipv4.tcp_wmem",
		       "sysctl -w net.ipv4.tcp_wmem=\"4096 16384 4194304\"");
	if (doctor->findings == before)
		doctor_add(doctor, VERDICT_OK, "TCP", NULL,
			   "its settings do not stand in the way");
}
