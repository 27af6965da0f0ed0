// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and removing the module: it comes by itself when a socket is to be
 * attached, stays while it is used, and goes when it is not.
 *
 * Removes the module, so nothing else may use it meanwhile.
 */
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "kselftest_harness.h"

#include "counter.h"
#include "frame.h"
#include "framing.h"
#include "genl.h"
#include "pair.h"

static int remove_module(void)
{
	return syscall(__NR_delete_module, "esptcp", O_NONBLOCK);
}

static int loaded(void)
{
	return counter("references") >= 0;
}

/* What sockets and bindings leave behind goes away without being asked. */
static int remove_in_time(void)
{
	int tries;

	for (tries = 0; tries < PATIENCE_SECONDS * 100; tries++) {
		if (!remove_module() || errno == ENOENT)
			return loaded();
		usleep(10 * 1000);
	}
	fprintf(stderr, "# delete_module: %s, %lld references\n",
		strerror(errno), counter("references"));
	return -1;
}

FIXTURE(module) {
	struct pair p;
};

FIXTURE_SETUP(module)
{
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, remove_in_time());
	ASSERT_EQ(0, pair_open(&self->p, IPV4));
	ASSERT_EQ(0, pair_attach(self->p.owner))
		TH_LOG("not loaded by attaching: %s", strerror(errno));
	ASSERT_TRUE(loaded());
}

FIXTURE_TEARDOWN(module)
{
	pair_close(&self->p);
}

TEST_F(module, loads_itself)
{
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
}

TEST_F(module, stays_while_a_socket_is_attached)
{
	EXPECT_EQ(-1, remove_module());
	EXPECT_EQ(EWOULDBLOCK, errno);
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
	close_fd(&self->p.owner);
	EXPECT_EQ(0, remove_in_time());
}

static int attach_fortinet(int fd)
{
	char text[] = "fortinet";
	struct genl g;
	uint32_t id;
	int err;

	if (genl_open(&g))
		return -1;
	err = genl_attach_with(&g, fd, 0, framing_parse(text), &id);
	genl_close(&g);
	return err;
}

TEST_F(module, stays_while_a_fortinet_socket_is_attached)
{
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, IPV6));
	ASSERT_EQ(0, attach_fortinet(p.owner));
	ASSERT_EQ(0, attach_fortinet(p.peer));
	close_fd(&self->p.owner);
	close_fd(&p.peer);
	EXPECT_EQ(-1, remove_module());
	EXPECT_EQ(EWOULDBLOCK, errno);
	pair_close(&p);
	EXPECT_EQ(0, remove_in_time());
}

/* Down is not closed: the owner still has the module's socket. */
TEST_F(module, stays_while_a_dead_socket_is_attached)
{
	ASSERT_EQ(0, reset_fd(&self->p.peer));
	EXPECT_EQ(-1, recv(self->p.owner, (char[1]){}, 1, 0));
	EXPECT_EQ(-1, remove_module());
	EXPECT_EQ(EWOULDBLOCK, errno);
	close_fd(&self->p.owner);
	EXPECT_EQ(0, remove_in_time());
}

TEST_F(module, stays_while_an_sa_is_bound)
{
	struct binding b = { 0, ESPTCP_DIR_OUT, 0x1000, { { 127, 0, 0, 1 }, 4 } };
	struct conn conn;
	struct genl g;

	ASSERT_EQ(0, genl_open(&g));
	ASSERT_EQ(0, genl_conn_by_fd(&g, self->p.owner, &conn));
	b.conn_id = conn.id;
	ASSERT_EQ(0, genl_bind(&g, &b));
	close_fd(&self->p.owner);
	usleep(300 * 1000);
	EXPECT_EQ(-1, remove_module());
	EXPECT_EQ(EWOULDBLOCK, errno);
	ASSERT_EQ(0, genl_unbind_all(&g));
	genl_close(&g);
	EXPECT_EQ(0, remove_in_time());
}

/* TCP keeps an orphan for minutes when the peer does not take its data. */
TEST_F(module, goes_while_tcp_keeps_the_orphan)
{
	flood_ike(self->p.owner, 30000);
	close_fd(&self->p.owner);
	EXPECT_EQ(0, remove_in_time());
}

TEST_F(module, goes_while_the_connection_waits_in_time_wait)
{
	close_fd(&self->p.owner);
	EXPECT_EQ(0, expect_end(self->p.peer));
	close_fd(&self->p.peer);
	EXPECT_EQ(0, remove_in_time());
}

TEST_F(module, goes_after_a_namespace_died)
{
	pid_t child = fork();
	struct pair p;
	int status, i;

	if (!child) {
		if (net_enter() || pair_open(&p, IPV6) ||
		    pair_attach(p.owner) || attach_fortinet(p.peer))
			_exit(1);
		for (i = 0; i < 100; i++)
			send_ike(p.owner, 1000, i, MSG_DONTWAIT);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close_fd(&self->p.owner);
	EXPECT_EQ(0, remove_in_time());
}

TEST_F_TIMEOUT(module, comes_and_goes, 60)
{
	int i;

	for (i = 0; i < 4; i++) {
		pair_close(&self->p);
		ASSERT_EQ(0, remove_in_time());
		ASSERT_EQ(0, pair_open(&self->p, i % 2 ? IPV6 : IPV4));
		ASSERT_EQ(0, pair_attach(self->p.owner));
		ASSERT_EQ(0, write_ike(self->p.peer, 100, i));
		ASSERT_EQ(0, expect_ike(self->p.owner, 100, i));
		ASSERT_EQ(0, send_ike(self->p.owner, 100, i, 0));
	}
}

TEST_HARNESS_MAIN
