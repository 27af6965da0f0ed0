// SPDX-License-Identifier: GPL-2.0
/*
 * How a connection ends: by the peer, by the owner, by force; and what then
 * becomes of messages that were under way.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "fixture.h"

static int error_once(int fd, int error)
{
	char octet;

	errno = 0;
	if (recv(fd, &octet, 1, 0) != -1 || errno != error) {
		fprintf(stderr, "# recv(): %s, not %s\n", strerror(errno),
			strerror(error));
		return -1;
	}
	return expect_end(fd) || expect_end(fd);
}

/* A FIN or a RST: the peer is told in either case. */
static int told(int fd)
{
	char octets[4096];
	ssize_t n;

	do
		n = recv(fd, octets, sizeof(octets), 0);
	while (n > 0);
	return n == 0 || errno == ECONNRESET ? 0 : -1;
}

TEST_F(family, peer_closes)
{
	close_fd(&self->p.peer);
	EXPECT_EQ(0, expect_end(self->p.owner));
	EXPECT_EQ(0, expect_end(self->p.owner));
	EXPECT_ERROR(EPIPE, send_ike(self->p.owner, 100, 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, counter("rx-drop-partial"));
	EXPECT_EQ(1, counter("connections"));
	close_fd(&self->p.owner);
	EXPECT_EQ(0, counter("connections"));
}

TEST_F(family, peer_closes_after_messages)
{
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, write_ike(self->p.peer, 3000, i));
	close_fd(&self->p.peer);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, expect_ike(self->p.owner, 3000, i));
	EXPECT_EQ(0, expect_end(self->p.owner));
}

TEST_F(family, peer_closes_inside_a_frame)
{
	struct stream s = {};

	add_ike(&s, 100, 1);
	add_ike(&s, 100, 2);
	s.len -= 1;
	ASSERT_EQ(0, write_stream(self->p.peer, &s));
	close_fd(&self->p.peer);
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
	EXPECT_EQ(0, expect_end(self->p.owner));
	EXPECT_EQ(0, counter_reaches("rx-drop-partial", 1));
}

TEST_F(socket, peer_closes_inside_a_length)
{
	ASSERT_EQ(0, write_octets(self->p.peer, "\0", 1));
	close_fd(&self->p.peer);
	EXPECT_EQ(0, expect_end(self->p.owner));
	EXPECT_EQ(0, counter_reaches("rx-drop-partial", 1));
}

TEST_F(family, peer_resets)
{
	ASSERT_EQ(0, reset_fd(&self->p.peer));
	EXPECT_EQ(0, error_once(self->p.owner, ECONNRESET));
	EXPECT_ERROR(EPIPE, send_ike(self->p.owner, 100, 1, MSG_NOSIGNAL));
}

TEST_F(family, peer_resets_inside_a_frame)
{
	ASSERT_EQ(0, write_octets(self->p.peer, "\0\x40\0\0\0\0half", 10));
	ASSERT_EQ(0, reset_fd(&self->p.peer));
	EXPECT_EQ(0, error_once(self->p.owner, ECONNRESET));
	EXPECT_EQ(0, counter_reaches("rx-drop-partial", 1));
}

TEST_F(family, peer_vanishes)
{
	ASSERT_EQ(0, set_int(self->p.owner, IPPROTO_TCP, TCP_USER_TIMEOUT, 500));
	blackhole(self->p.peer);
	ASSERT_EQ(0, send_ike(self->p.owner, 100, 1, 0));
	EXPECT_EQ(0, error_once(self->p.owner, ETIMEDOUT));
}

static int bad_length(struct pair *p, int len)
{
	uint8_t octets[2] = { 0, len };
	int i;

	for (i = 0; i < 3; i++)
		if (write_ike(p->peer, 100, i))
			return -1;
	if (write_octets(p->peer, octets, 2))
		return -1;
	/* This may find the connection reset. */
	send(p->peer, "\0\x40\0\0\0\0after", 11, MSG_NOSIGNAL);
	return 0;
}

static int expect_bad_length(struct pair *p)
{
	int i;

	for (i = 0; i < 3; i++)
		if (expect_ike(p->owner, 100, i))
			return -1;
	return error_once(p->owner, EPROTO) || told(p->peer) ||
	       counter_reaches("rx-bad-length", 1) ||
	       counter_reaches("rx-ike-frames", 3);
}

TEST_F(family, length_0)
{
	ASSERT_EQ(0, bad_length(&self->p, 0));
	EXPECT_EQ(0, expect_bad_length(&self->p));
	EXPECT_ERROR(EPIPE, send_ike(self->p.owner, 100, 1, MSG_NOSIGNAL));
}

TEST_F(family, length_1)
{
	ASSERT_EQ(0, bad_length(&self->p, 1));
	EXPECT_EQ(0, expect_bad_length(&self->p));
}

/* The rest of a corrupt stream is not parsed, however much there is. */
TEST_F(socket, flood_after_a_bad_length)
{
	struct stream s = {};
	int i;

	add_octets(&s, "\0\1", 2);
	for (i = 0; i < 1000; i++)
		add_ike(&s, 1000, i);
	send(self->p.peer, s.octets, s.len, MSG_NOSIGNAL);
	EXPECT_EQ(0, error_once(self->p.owner, EPROTO));
	EXPECT_EQ(0, told(self->p.peer));
	EXPECT_EQ(1, counter("rx-bad-length"));
	EXPECT_EQ(0, counter("rx-ike-frames"));
	stream_free(&s);
}

TEST_F(socket, so_error)
{
	struct pollfd pfd = { .fd = self->p.owner };
	socklen_t len = sizeof(int);
	int error = 0;

	ASSERT_EQ(0, reset_fd(&self->p.peer));
	ASSERT_EQ(1, poll(&pfd, 1, PATIENCE_SECONDS * 1000));
	ASSERT_EQ(0, getsockopt(self->p.owner, SOL_SOCKET, SO_ERROR, &error, &len));
	EXPECT_EQ(ECONNRESET, error);
	EXPECT_EQ(0, expect_end(self->p.owner));
}

TEST_F(family, owner_closes)
{
	close_fd(&self->p.owner);
	EXPECT_EQ(0, expect_end(self->p.peer));
	EXPECT_EQ(0, counter("connections"));
}

TEST_F(family, owner_closes_after_sending)
{
	int i;

	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, send_ike(self->p.owner, 10000, i, 0));
	close_fd(&self->p.owner);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, expect_wire(self->p.peer, 10000, i));
	EXPECT_EQ(0, expect_end(self->p.peer));
}

TEST_F(family, owner_closes_with_unread_messages)
{
	int i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, write_ike(self->p.peer, 100, i));
	ASSERT_EQ(0, counter_reaches("rx-ike-frames", 5));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 0));
	close_fd(&self->p.owner);
	EXPECT_EQ(0, told(self->p.peer));
	EXPECT_EQ(0, counter_reaches("rx-drop-ike-closed", 4));
}

TEST_F(family, owner_closes_under_a_flood)
{
	struct pollfd pfd = { .fd = self->p.peer, .events = POLLOUT };
	int i;

	for (i = 0; i < 300 && poll(&pfd, 1, 0) == 1; i++) {
		write_ike(self->p.peer, 1000, i);
		write_esp(self->p.peer, 1000, i + 1);
	}
	close_fd(&self->p.owner);
	EXPECT_EQ(0, told(self->p.peer));
	EXPECT_EQ(0, counter("connections"));
}

TEST_F(family, owner_resets)
{
	ASSERT_EQ(0, send_ike(self->p.owner, 100, 1, 0));
	ASSERT_EQ(0, reset_fd(&self->p.owner));
	EXPECT_EQ(0, told(self->p.peer));
	EXPECT_EQ(0, counter("connections"));
}

TEST_F(family, both_shut_down)
{
	ASSERT_EQ(0, shutdown(self->p.owner, SHUT_RDWR));
	EXPECT_EQ(0, expect_end(self->p.owner));
	EXPECT_ERROR(EPIPE, send_ike(self->p.owner, 100, 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, told(self->p.peer));
}

/* Descriptors are references: the last one closes. */
TEST_F(family, duplicates)
{
	int fd = dup(self->p.owner);

	ASSERT_LE(0, fd);
	close_fd(&self->p.owner);
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(fd, 100, 1));
	EXPECT_EQ(1, counter("connections"));
	close_fd(&fd);
	EXPECT_EQ(0, expect_end(self->p.peer));
	EXPECT_EQ(0, counter("connections"));
}

static int wait_child(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_F(family, inherited)
{
	pid_t child = fork();

	if (!child) {
		close_fd(&self->p.peer);
		_exit(expect_ike(self->p.owner, 100, 1) ||
		      send_ike(self->p.owner, 100, 2, 0));
	}
	ASSERT_LT(0, child);
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, wait_child(child));
	EXPECT_EQ(0, expect_wire(self->p.peer, 100, 2));
	/* The child's end was not ours. */
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 3));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 3));
}

/* A child owns the socket, and is killed while messages flow both ways. */
TEST_F(family, owner_is_killed)
{
	pid_t child = fork();
	int i;

	if (!child) {
		close_fd(&self->p.peer);
		for (;;)
			send_ike(self->p.owner, 1000, 1, MSG_NOSIGNAL);
	}
	ASSERT_LT(0, child);
	close_fd(&self->p.owner);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, write_ike(self->p.peer, 1000, i));
		ASSERT_EQ(0, expect_wire(self->p.peer, 1000, 1));
	}
	EXPECT_EQ(1, counter("connections"));
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(-SIGKILL, wait_child(child));
	EXPECT_EQ(0, told(self->p.peer));
	EXPECT_EQ(0, counter_reaches("connections", 0));
}

/* Live connections in a namespace whose last process dies. */
static void fill_namespace(void)
{
	enum family family;
	struct pair p;
	int i;

	if (net_enter())
		_exit(1);
	for (family = IPV4; family <= MAPPED_ACCEPTED; family++) {
		if (pair_open(&p, family) || pair_attach(p.owner) ||
		    pair_attach(p.peer))
			_exit(2);
		for (i = 0; i < 100; i++) {
			send_ike(p.owner, 1000, i, MSG_DONTWAIT);
			send_ike(p.peer, 1000, i, MSG_DONTWAIT);
		}
	}
	_exit(0);
}

TEST_F(socket, namespace_is_removed)
{
	long long before = counter("references");
	pid_t child;
	int i;

	for (i = 0; i < 3; i++) {
		child = fork();
		if (!child)
			fill_namespace();
		ASSERT_LT(0, child);
		EXPECT_EQ(0, wait_child(child));
	}
	EXPECT_EQ(0, counter_reaches("references", before));
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
}

/* The namespace lives as long as the socket that somebody else holds. */
TEST_F(socket, namespace_is_left)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
	ASSERT_EQ(0, send_ike(self->p.owner, 100, 2, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 100, 2));
}

TEST_HARNESS_MAIN
