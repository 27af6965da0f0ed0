// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that send, receive, poll, shut down and close at once, while the
 * peer floods, resets and goes away. Bounded in time; the test is that every
 * call returns, that what the peer reads is a stream of whole frames, and
 * (outside of this program) that the kernel has nothing to complain about.
 */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "fixture.h"

#define ROUND_MS	250
#define ROUNDS		8

struct round {
	struct pair p;
	atomic_bool stop;
	atomic_int bad;		/* what should not have been seen */
	atomic_int sent, received, frames;
};

static void *sender(void *arg)
{
	struct round *r = arg;
	unsigned int seed = 0;

	while (!r->stop) {
		size_t len = 5 + seed * 977 % 20000;

		if (!send_ike(r->p.owner, len, seed++, MSG_NOSIGNAL))
			r->sent++;
		else if (errno != EAGAIN)
			break;
	}
	return NULL;
}

static void *receiver(void *arg)
{
	struct round *r = arg;
	uint8_t message[2000];
	ssize_t n;

	while (!r->stop) {
		n = recv(r->p.owner, message, sizeof(message), 0);
		if (n == 0)
			break;
		if (n > 0)
			r->received++;
		if (n > 0 && (n < MIN_IKE || memcmp(message, "\0\0\0\0", 4)))
			r->bad++;
	}
	return NULL;
}

static void *poller(void *arg)
{
	struct round *r = arg;
	struct pollfd pfd = { .events = POLLIN | POLLOUT | POLLRDHUP };

	while (!r->stop) {
		pfd.fd = r->p.owner;
		if (poll(&pfd, 1, 10) < 0)
			r->bad++;
	}
	return NULL;
}

static void *flooder(void *arg)
{
	struct round *r = arg;
	struct stream s = {};
	int i;

	for (i = 0; i < 20; i++) {
		add_ike(&s, MIN_IKE + i * 50, i);
		add_esp(&s, 8 + i * 70, i + 256);
		add_keepalive(&s);
	}
	while (!r->stop && send(r->p.peer, s.octets, s.len, MSG_NOSIGNAL) > 0)
		continue;
	stream_free(&s);
	return NULL;
}

static ssize_t read_all(int fd, uint8_t *octets, size_t len)
{
	ssize_t n, at = 0;

	for (; len; at += n, len -= n) {
		n = recv(fd, octets + at, len, 0);
		if (n <= 0)
			return n;
	}
	return at;
}

/* The peer reads frames: their lengths and markers must stay in step. */
static void *frame_reader(void *arg)
{
	struct round *r = arg;
	static uint8_t frame[MAX_FRAME];

	while (!r->stop) {
		size_t len;

		if (read_all(r->p.peer, frame, 2) <= 0)
			break;
		len = frame[0] * 256 + frame[1];
		if (len < 7) {
			r->bad++;
			break;
		}
		if (read_all(r->p.peer, frame + 2, len - 2) <= 0)
			break;
		if (memcmp(frame + 2, "\0\0\0\0", 4))
			r->bad++;
		r->frames++;
	}
	return NULL;
}

static void end_by_owner_close(struct pair *p)
{
	shutdown(p->owner, SHUT_RDWR);
	close_fd(&p->owner);
	shutdown(p->peer, SHUT_RDWR);
}

static void end_by_peer_shutdown(struct pair *p)
{
	shutdown(p->peer, SHUT_RDWR);
	usleep(20 * 1000);
	shutdown(p->owner, SHUT_RDWR);
}

static void end_by_bad_length(struct pair *p)
{
	send(p->peer, "\0\0\0\0\0\0\0\0", 8, MSG_NOSIGNAL);
	usleep(20 * 1000);
	shutdown(p->owner, SHUT_RDWR);
	shutdown(p->peer, SHUT_RDWR);
}

static void end_by_half_closes(struct pair *p)
{
	shutdown(p->owner, SHUT_WR);
	shutdown(p->owner, SHUT_RD);
	shutdown(p->peer, SHUT_RDWR);
}

static void (*const ends[])(struct pair *p) = {
	end_by_owner_close, end_by_peer_shutdown, end_by_bad_length,
	end_by_half_closes,
};

static int run_round(struct round *r, void (*end)(struct pair *p))
{
	void *(*const start[])(void *arg) = {
		sender, sender, receiver, receiver, poller, flooder, frame_reader,
	};
	pthread_t thread[ARRAY_SIZE(start)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(start); i++)
		if (pthread_create(&thread[i], NULL, start[i], r))
			return -1;
	usleep(ROUND_MS * 1000);
	end(&r->p);
	usleep(20 * 1000);
	r->stop = true;
	for (i = 0; i < ARRAY_SIZE(start); i++)
		pthread_join(thread[i], NULL);
	return 0;
}

TEST_F_TIMEOUT(family, threads, 60)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct round r = {};

		ASSERT_EQ(0, pair_open(&r.p, variant->family));
		set_timeout(r.p.owner, SO_SNDTIMEO, 100);
		ASSERT_EQ(0, pair_attach(r.p.owner));
		ASSERT_EQ(0, run_round(&r, ends[i % ARRAY_SIZE(ends)]));
		EXPECT_EQ(0, r.bad);
		EXPECT_LT(0, r.sent);
		EXPECT_LT(0, r.received);
		EXPECT_LT(0, r.frames);
		pair_close(&r.p);
	}
	EXPECT_EQ(0, counter_reaches("connections", 1));
}

/* Attach, and close or lose the connection at once, under load. */
TEST_F_TIMEOUT(family, short_lives, 60)
{
	struct stream s = {};
	struct pair p;
	int i;

	for (i = 0; i < 10; i++) {
		add_ike(&s, 100, i);
		add_esp(&s, 500, i + 256);
	}
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, pair_open(&p, variant->family));
		ASSERT_LT(0, send(p.peer, s.octets, s.len - i % 50, 0));
		if (i % 7 == 3)
			reset_fd(&p.peer);
		if (pair_attach(p.owner) == 0)
			send_ike(p.owner, 1000, i, MSG_NOSIGNAL | MSG_DONTWAIT);
		else if (i % 7 != 3)
			ASSERT_EQ(0, errno);
		if (i % 3)
			pair_close(&p);
		else
			reset_fd(&p.owner);
		close_fd(&p.peer);
	}
	EXPECT_EQ(0, counter_reaches("connections", 1));
	stream_free(&s);
}

TEST_HARNESS_MAIN
