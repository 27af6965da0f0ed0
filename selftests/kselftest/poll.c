// SPDX-License-Identifier: GPL-2.0
/*
 * poll() and epoll on an attached socket: readable means a whole message or
 * the end, writable means a whole message is taken.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fixture.h"

#define PATIENCE_MS	(PATIENCE_SECONDS * 1000)
#define ALL_EVENTS	(POLLIN | POLLOUT | POLLRDHUP | POLLPRI)
#define FLOOD_LEN	30000

static int events_now(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = ALL_EVENTS };

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

/*
 * Wait for these events; return: all that there are then. An error or a hangup
 * ends poll()'s wait, too, and shows before the end that it brings.
 */
static int wait_for(int fd, int events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ms;

	for (ms = 0; ms < PATIENCE_MS; ms++) {
		if (poll(&pfd, 1, PATIENCE_MS) <= 0)
			return 0;
		if ((pfd.revents & events) == events)
			break;
		usleep(1000);
	}
	return events_now(fd);
}

TEST_F(family, idle)
{
	EXPECT_EQ(POLLOUT, events_now(self->p.owner));
}

TEST_F(family, message)
{
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	EXPECT_EQ(POLLIN | POLLOUT, wait_for(self->p.owner, POLLIN));
	EXPECT_EQ(0, expect_ike(self->p.owner, 50, 1));
	EXPECT_EQ(POLLOUT, events_now(self->p.owner));
}

TEST_F(family, two_messages)
{
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	ASSERT_EQ(0, write_ike(self->p.peer, 60, 2));
	ASSERT_EQ(0, counter_reaches("rx-ike-frames", 2));
	EXPECT_EQ(0, expect_ike(self->p.owner, 50, 1));
	EXPECT_EQ(POLLIN | POLLOUT, events_now(self->p.owner));
	EXPECT_EQ(0, expect_ike(self->p.owner, 60, 2));
	EXPECT_EQ(POLLOUT, events_now(self->p.owner));
}

/* TCP has octets, but the owner has no message. */
TEST_F(family, no_message)
{
	struct stream s = {};

	add_empty(&s);
	add_keepalive(&s);
	add_esp(&s, 5, 1);
	add_esp(&s, 500, 1);
	add_octets(&s, "\0\x40\0\0\0\0half", 10);
	ASSERT_EQ(0, write_stream(self->p.peer, &s));
	ASSERT_EQ(0, counter_reaches("rx-drop-unbound", 1));
	EXPECT_EQ(POLLOUT, events_now(self->p.owner));
}

TEST_F(family, end)
{
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  wait_for(self->p.owner, POLLRDHUP) & ~POLLOUT);
	EXPECT_EQ(0, expect_end(self->p.owner));
	/* The end stays readable. */
	EXPECT_EQ(POLLIN | POLLRDHUP, events_now(self->p.owner) & ~POLLOUT);
}

TEST_F(family, message_and_end)
{
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  wait_for(self->p.owner, POLLRDHUP) & ~POLLOUT);
	EXPECT_EQ(0, expect_ike(self->p.owner, 50, 1));
	EXPECT_EQ(POLLIN | POLLRDHUP, events_now(self->p.owner) & ~POLLOUT);
	EXPECT_EQ(0, expect_end(self->p.owner));
}

TEST_F(family, end_of_both_directions)
{
	ASSERT_EQ(0, shutdown(self->p.owner, SHUT_WR));
	ASSERT_EQ(0, expect_end(self->p.peer));
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	EXPECT_EQ(POLLIN | POLLRDHUP | POLLHUP,
		  wait_for(self->p.owner, POLLRDHUP) & ~POLLOUT);
}

TEST_F(family, reset)
{
	int events;

	ASSERT_EQ(0, reset_fd(&self->p.peer));
	events = wait_for(self->p.owner, POLLRDHUP);
	EXPECT_EQ(POLLIN | POLLRDHUP | POLLHUP | POLLERR, events & ~POLLOUT);
	EXPECT_ERROR(ECONNRESET, recv(self->p.owner, (char[1]){}, 1, 0));
	EXPECT_EQ(0, events_now(self->p.owner) & POLLERR);
}

/* poll() sleeps and is woken by what comes. */
static void in_child(struct pair *p, void (*act)(struct pair *p))
{
	if (fork())
		return;
	usleep(300 * 1000);
	act(p);
	_exit(0);
}

static void act_message(struct pair *p)
{
	write_ike(p->peer, 50, 1);
}

static void act_end(struct pair *p)
{
	shutdown(p->peer, SHUT_WR);
}

static void act_shutdown(struct pair *p)
{
	shutdown(p->owner, SHUT_RD);
}

static void act_bad_length(struct pair *p)
{
	write_octets(p->peer, "\0\0", 2);
}

TEST_F(family, woken_by_a_message)
{
	in_child(&self->p, act_message);
	EXPECT_EQ(POLLIN | POLLOUT, wait_for(self->p.owner, POLLIN));
}

TEST_F(socket, woken_by_the_end)
{
	in_child(&self->p, act_end);
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  wait_for(self->p.owner, POLLIN) & ~POLLOUT);
}

TEST_F(socket, woken_by_shutdown)
{
	in_child(&self->p, act_shutdown);
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  wait_for(self->p.owner, POLLIN) & ~POLLOUT);
}

TEST_F(socket, woken_by_a_bad_length)
{
	in_child(&self->p, act_bad_length);
	EXPECT_EQ(POLLIN | POLLRDHUP | POLLHUP | POLLERR,
		  wait_for(self->p.owner, POLLIN) & ~POLLOUT);
}

/* What select() users see is the same. */
TEST_F(socket, select)
{
	struct timeval now = {}, patience = { .tv_sec = PATIENCE_SECONDS };
	int fd = self->p.owner;
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	EXPECT_EQ(1, select(fd + 1, &in, &out, NULL, &now));
	EXPECT_FALSE(FD_ISSET(fd, &in));
	EXPECT_TRUE(FD_ISSET(fd, &out));

	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	FD_ZERO(&in);
	FD_SET(fd, &in);
	EXPECT_EQ(1, select(fd + 1, &in, NULL, NULL, &patience));
}

/* Not writable when full, writable as soon as the peer has read. */
TEST_F(family, full)
{
	int count = flood_ike(self->p.owner, FLOOD_LEN), i;

	ASSERT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, events_now(self->p.owner));
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, expect_wire(self->p.peer, FLOOD_LEN, i));
	EXPECT_EQ(POLLOUT, wait_for(self->p.owner, POLLOUT));
	EXPECT_EQ(0, send_ike(self->p.owner, FLOOD_LEN, 1, MSG_DONTWAIT));
}

static int watch(int fd, unsigned int events)
{
	struct epoll_event ev = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev))
		return -1;
	return epoll;
}

/* The events that epoll reports within this time, 0 if none. */
static int report(int epoll, int ms)
{
	struct epoll_event ev = {};

	return epoll_wait(epoll, &ev, 1, ms) < 0 ? -1 : (int)ev.events;
}

TEST_F(family, epoll_level)
{
	int epoll = watch(self->p.owner, EPOLLIN | EPOLLRDHUP);

	ASSERT_LE(0, epoll);
	EXPECT_EQ(0, report(epoll, 0));
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	EXPECT_EQ(EPOLLIN, report(epoll, PATIENCE_MS));
	EXPECT_EQ(EPOLLIN, report(epoll, 0));
	EXPECT_EQ(0, expect_ike(self->p.owner, 50, 1));
	EXPECT_EQ(0, report(epoll, 0));
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, report(epoll, PATIENCE_MS));
}

TEST_F(family, epoll_edge)
{
	int epoll = watch(self->p.owner, EPOLLIN | EPOLLRDHUP | EPOLLET);
	int i;

	ASSERT_LE(0, epoll);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, write_ike(self->p.peer, 50, i));
		EXPECT_EQ(EPOLLIN, report(epoll, PATIENCE_MS));
		EXPECT_EQ(0, report(epoll, 0));
		EXPECT_EQ(0, expect_ike(self->p.owner, 50, i));
	}
	/* Unread, each new message is an edge all the same. */
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 4));
	EXPECT_EQ(EPOLLIN, report(epoll, PATIENCE_MS));
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 5));
	EXPECT_EQ(EPOLLIN, report(epoll, PATIENCE_MS));
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, report(epoll, PATIENCE_MS));
}

/* Without an owner who reads, ESP must not wake him: that would be a storm. */
TEST_F(family, epoll_edge_and_esp)
{
	int epoll = watch(self->p.owner, EPOLLIN | EPOLLRDHUP | EPOLLET);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, write_esp(self->p.peer, 1000, 1));
	ASSERT_EQ(0, counter_reaches("rx-drop-unbound", 1));
	EXPECT_EQ(0, report(epoll, 200));
}

TEST_F(family, epoll_edge_writable)
{
	int epoll = watch(self->p.owner, EPOLLOUT | EPOLLET), count, i;

	ASSERT_LE(0, epoll);
	EXPECT_EQ(EPOLLOUT, report(epoll, 0));
	EXPECT_EQ(0, report(epoll, 0));
	count = flood_ike(self->p.owner, FLOOD_LEN);
	EXPECT_EQ(0, report(epoll, 0));
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, expect_wire(self->p.peer, FLOOD_LEN, i));
	EXPECT_EQ(EPOLLOUT, report(epoll, PATIENCE_MS));
	EXPECT_EQ(0, send_ike(self->p.owner, FLOOD_LEN, 1, MSG_DONTWAIT));
}

TEST_F(socket, epoll_oneshot)
{
	int epoll = watch(self->p.owner, EPOLLIN | EPOLLONESHOT);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	EXPECT_EQ(EPOLLIN, report(epoll, PATIENCE_MS));
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 2));
	EXPECT_EQ(0, report(epoll, 200));
}

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
	(void)signal;
	signals++;
}

TEST_F(socket, sigio)
{
	int fd = self->p.owner, i;

	signal(SIGIO, count_signal);
	ASSERT_EQ(0, fcntl(fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_ASYNC));
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	for (i = 0; i < PATIENCE_MS && !signals; i++)
		usleep(1000);
	EXPECT_LT(0, signals);
}

/* An event loop that watched the prefix goes on watching. */
TEST_F(unattached, epoll_from_before_attaching)
{
	int epoll = watch(self->p.owner, EPOLLIN | EPOLLRDHUP);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, write_octets(self->p.peer, "IKETCP", 6));
	EXPECT_EQ(EPOLLIN, report(epoll, PATIENCE_MS));
	ASSERT_EQ(6, recv(self->p.owner, (char[6]){}, 6, 0));
	ASSERT_EQ(0, pair_attach(self->p.owner));
	EXPECT_EQ(0, report(epoll, 0));
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	EXPECT_EQ(EPOLLIN, report(epoll, PATIENCE_MS));
	EXPECT_EQ(0, expect_ike(self->p.owner, 50, 1));
	EXPECT_EQ(0, report(epoll, 0));
}

TEST_HARNESS_MAIN
