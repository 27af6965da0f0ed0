// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: may TCP be fast?
 */
#include <stdio.h>

#include "doctor.h"

#define SYSCTL		"/proc/sys/net/ipv4/"

/* A window of this lets 8 Mbit/s through at a round-trip time of a second. */
#define ENOUGH_MEMORY	1048576

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
