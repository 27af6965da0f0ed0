// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "counter.h"
#include "pair.h"

static long long read_stat(FILE *f, const char *name)
{
	long long value;
	char n[64];

	while (fscanf(f, "%63s %lld", n, &value) == 2)
		if (!strcmp(n, name))
			return value;
	return -1;
}

/* Each connection has a line; the first line is the table's head. */
static long long read_table(FILE *f, const char *name)
{
	long long lines = -1;
	int c;

	(void)name;
	while ((c = getc(f)) != EOF)
		lines += c == '\n';
	return lines;
}

static long long read_number(FILE *f, const char *name)
{
	long long value;

	(void)name;
	return fscanf(f, "%lld", &value) == 1 ? value : -1;
}

/* The value, or -1 if there is no such counter. */
long long counter(const char *name)
{
	long long (*reader)(FILE *f, const char *name) = read_stat;
	const char *path = "/proc/net/esptcp_stat";
	long long value;
	FILE *f;

	if (!strcmp(name, "connections")) {
		path = "/proc/net/esptcp";
		reader = read_table;
	} else if (!strcmp(name, "references")) {
		path = "/sys/module/esptcp/refcnt";
		reader = read_number;
	}
	f = fopen(path, "r");
	if (!f)
		return -1;
	value = reader(f, name);
	fclose(f);
	return value;
}

/* Packets are dealt with behind the caller's back: be patient. */
static int wait_for(const char *name, long long low, long long high)
{
	struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int tries = PATIENCE_SECONDS * 100;
	long long now;

	for (;;) {
		now = counter(name);
		if (now >= low && now <= high)
			return 0;
		if (!tries--)
			break;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "# %s is %lld, not %lld%s\n", name, now, low,
		low == high ? "" : " or more");
	return -1;
}

int counter_reaches(const char *name, long long value)
{
	return wait_for(name, value, value);
}

int counter_exceeds(const char *name, long long value)
{
	return wait_for(name, value + 1, __LONG_LONG_MAX__);
}
