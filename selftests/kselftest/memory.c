// SPDX-License-Identifier: GPL-2.0
/*
 * What strangers can make the kernel keep: memory for the octets of IKE messages
 * that have arrived, charged to TCP's account, whatever their lengths promise.
 */
#include <sys/socket.h>

#include "fixture.h"

#define CONNECTIONS	300
#define KEPT		30000	/* octets of a message that waits, or of its part */

/* The length of an IKE message and the non-ESP marker; nothing of the message */
static const uint8_t large[] = { 0x7d, 0x00, 0, 0, 0, 0 };
static const uint8_t too_large[] = { 0xff, 0xff, 0, 0, 0, 0 };

/* A number behind a word in a file of /proc, or -1. */
static long number_behind(const char *path, const char *line, const char *word)
{
	char text[256], *at;
	long number = -1;
	FILE *f = fopen(path, "r");

	if (!f)
		return -1;
	while (number < 0 && fgets(text, sizeof(text), f)) {
		at = strncmp(text, line, strlen(line)) ? NULL : strstr(text, word);
		if (at)
			number = strtol(at + strlen(word), NULL, 10);
	}
	fclose(f);
	return number;
}

/* In octets; what is still on its way has arrived then. */
static long memory_free(void)
{
	usleep(500 * 1000);
	return number_behind("/proc/meminfo", "MemFree:", "MemFree:") * 1024;
}

static long charged_to_tcp(void)
{
	usleep(500 * 1000);
	return number_behind("/proc/net/sockstat", "TCP:", " mem ") *
	       sysconf(_SC_PAGESIZE);
}

FIXTURE(strangers) {
	struct pair pairs[CONNECTIONS];
};

FIXTURE_SETUP(strangers)
{
	int i;

	ASSERT_EQ(0, net_enter());
	for (i = 0; i < CONNECTIONS; i++) {
		ASSERT_EQ(0, pair_open(&self->pairs[i], IPV6));
		ASSERT_EQ(0, pair_attach(self->pairs[i].owner))
			TH_LOG("attach: %s", strerror(errno));
	}
}

FIXTURE_TEARDOWN(strangers)
{
	int i;

	for (i = 0; i < CONNECTIONS; i++)
		pair_close(&self->pairs[i]);
}

static int all_write(const struct pair *pairs, const uint8_t *octets, size_t n)
{
	int i, err = 0;

	for (i = 0; i < CONNECTIONS && !err; i++)
		err = write_octets(pairs[i].peer, octets, n);
	return err;
}

/* Memory that a promise takes in each connection, octets, or -1. */
static long price(const struct pair *pairs, const uint8_t *octets, size_t n)
{
	long before = memory_free();

	if (all_write(pairs, octets, n))
		return -1;
	return (before - memory_free()) / CONNECTIONS;
}

TEST_F_TIMEOUT(strangers, promise, 120)
{
	long taken = price(self->pairs, large, sizeof(large));

	TH_LOG("%ld octets for each connection", taken);
	EXPECT_GT(16 * 1024, taken);
	EXPECT_EQ(0, counter("rx-drop-ike-unauth"));
}

TEST_F_TIMEOUT(strangers, promise_too_much, 120)
{
	long taken = price(self->pairs, too_large, sizeof(too_large));

	TH_LOG("%ld octets for each connection", taken);
	EXPECT_GT(16 * 1024, taken);
	EXPECT_EQ(CONNECTIONS, counter("rx-drop-ike-unauth"));
}

TEST_F_TIMEOUT(strangers, are_charged, 120)
{
	static struct stream s;
	long none, some;
	int i;

	add_ike(&s, KEPT + 100, 1);
	none = charged_to_tcp();
	ASSERT_EQ(0, all_write(self->pairs, s.octets, KEPT));
	some = charged_to_tcp() - none;
	EXPECT_LT((long)CONNECTIONS * KEPT / 4 * 3, some)
		TH_LOG("%ld octets are charged for parts of messages", some);

	ASSERT_EQ(0, all_write(self->pairs, s.octets + KEPT, s.len - KEPT));
	ASSERT_EQ(0, counter_reaches("rx-ike-frames", CONNECTIONS));
	some = charged_to_tcp() - none;
	EXPECT_LT((long)CONNECTIONS * KEPT / 4 * 3, some)
		TH_LOG("%ld octets are charged for messages that wait", some);

	/* Half of them are read, the others lost with their connections. */
	for (i = 0; i < CONNECTIONS / 2; i++)
		ASSERT_EQ(0, expect_ike(self->pairs[i].owner, KEPT + 100, 1));
	for (; i < CONNECTIONS; i++)
		pair_close(&self->pairs[i]);
	some = charged_to_tcp() - none;
	EXPECT_GT((long)CONNECTIONS * KEPT / 4, some)
		TH_LOG("%ld octets are still charged", some);
	EXPECT_EQ(0, counter_reaches("rx-drop-ike-closed", CONNECTIONS / 2));
	stream_free(&s);
}

TEST_HARNESS_MAIN
