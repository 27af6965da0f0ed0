/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixtures of the socket tests: an attached socket and its plain peer in
 * a network namespace of their own. "family" runs a test for each kind of
 * socket, "socket" once. "unattached" leaves attaching to the test.
 *
 * Included once by each test program.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "kselftest_harness.h"

#include "counter.h"
#include "frame.h"
#include "pair.h"

FIXTURE(family) {
	struct pair p;
};

FIXTURE_VARIANT(family) {
	enum family family;
};

FIXTURE_VARIANT_ADD(family, ipv4) { .family = IPV4 };
FIXTURE_VARIANT_ADD(family, ipv6) { .family = IPV6 };
FIXTURE_VARIANT_ADD(family, mapped) { .family = MAPPED };
FIXTURE_VARIANT_ADD(family, mapped_accepted) { .family = MAPPED_ACCEPTED };

FIXTURE_SETUP(family)
{
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	ASSERT_EQ(0, pair_attach(self->p.owner))
		TH_LOG("attach: %s", strerror(errno));
}

FIXTURE_TEARDOWN(family)
{
	pair_close(&self->p);
}

FIXTURE(socket) {
	struct pair p;
};

FIXTURE_SETUP(socket)
{
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, pair_open(&self->p, IPV4));
	ASSERT_EQ(0, pair_attach(self->p.owner))
		TH_LOG("attach: %s", strerror(errno));
}

FIXTURE_TEARDOWN(socket)
{
	pair_close(&self->p);
}

FIXTURE(unattached) {
	struct pair p;
};

FIXTURE_VARIANT(unattached) {
	enum family family;
};

FIXTURE_VARIANT_ADD(unattached, ipv4) { .family = IPV4 };
FIXTURE_VARIANT_ADD(unattached, ipv6) { .family = IPV6 };

FIXTURE_SETUP(unattached)
{
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
}

FIXTURE_TEARDOWN(unattached)
{
	pair_close(&self->p);
}

/* A call fails with this error. */
#define EXPECT_ERROR(error, call) do {				\
	errno = 0;						\
	EXPECT_EQ(-1, call);					\
	EXPECT_EQ(error, errno) {				\
		TH_LOG("%s: %s", #call, strerror(errno));	\
	}							\
} while (0)

#endif /* FIXTURE_H */
