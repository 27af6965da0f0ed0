// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving on an attached socket: what the peer's frames hold arrives as
 * whole messages, wherever TCP cuts the stream.
 */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "fixture.h"
#include "genl.h"

#define UNBOUND_SPI	0x12345678
#define BOUND_SPI	0x1000
#define UNAUTH_MAX	65536		/* the parameter ike_unauth_bytes */
#define LARGE_FRAMES	20

/* TCP at the other end has the octets, so the next ones are another segment. */
static int acknowledged(int fd)
{
	int unsent, tries;

	for (tries = 0; tries < PATIENCE_SECONDS * 10000; tries++) {
		if (ioctl(fd, SIOCOUTQ, &unsent))
			return -1;
		if (!unsent)
			return 0;
		usleep(100);
	}
	return -1;
}

/* Bind an SA, so that the peer passes for authenticated. */
static int bind_sa(struct genl *g, uint32_t id)
{
	struct binding b = { id, ESPTCP_DIR_IN, BOUND_SPI, {} };
	struct conn conn;

	if (genl_conn_by_id(g, id, &conn))
		return -1;
	b.daddr = conn.local;
	return genl_bind(g, &b);
}

static int authenticate(int fd)
{
	struct conn conn;
	struct genl g;
	int err;

	if (genl_open(&g))
		return -1;
	err = genl_conn_by_fd(&g, fd, &conn) || bind_sa(&g, conn.id);
	genl_close(&g);
	return err;
}

/* Attach a socket whose peer is authenticated before anything is parsed. */
static int attach_authenticated(int fd, enum family family)
{
	uint32_t before, id;
	struct pair p;
	struct genl g;
	int err;

	if (genl_open(&g))
		return -1;
	err = pair_open(&p, family) || genl_attach(&g, p.owner, 0, &before) ||
	      bind_sa(&g, before) || genl_attach(&g, fd, before, &id);
	pair_close(&p);
	genl_close(&g);
	return err;
}

TEST_F(family, messages)
{
	static const size_t sizes[] = { MIN_IKE, 33, 253, 254, 255, 1448, 16384,
				 65532, MAX_MESSAGE };
	long long octets = 0;
	unsigned int i;

	ASSERT_EQ(0, authenticate(self->p.owner));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, write_ike(self->p.peer, sizes[i], i));
		EXPECT_EQ(0, expect_ike(self->p.owner, sizes[i], i))
			TH_LOG("message of %zu octets", sizes[i]);
		octets += sizes[i];
	}
	EXPECT_EQ(0, expect_silence(self->p.owner));
	EXPECT_EQ((long long)i, counter("rx-ike-frames"));
	EXPECT_EQ(octets, counter("rx-ike-bytes"));
}

/* One of each kind; what the owner gets of it is expect_kinds(). */
static void add_kinds(struct stream *s)
{
	add_ike(s, MIN_IKE, 1);
	add_keepalive(s);
	add_esp(s, 8, UNBOUND_SPI);
	add_ike(s, 40, 2);
	add_empty(s);
	add_esp(s, 3, UNBOUND_SPI);
	add_ike(s, 45, 3);
}

static int expect_kinds(int fd)
{
	return expect_ike(fd, MIN_IKE, 1) || expect_ike(fd, 40, 2) ||
	       expect_ike(fd, 45, 3);
}

static int expect_kind_counters(int times)
{
	return counter_reaches("rx-ike-frames", 3 * times) ||
	       counter_reaches("rx-keepalive", times) ||
	       counter_reaches("rx-empty", times) ||
	       counter_reaches("rx-drop-runt", times) ||
	       counter_reaches("rx-drop-unbound", times) ||
	       counter_reaches("rx-esp-frames", 0);
}

TEST_F(family, split_at_every_octet)
{
	struct stream s = {};
	size_t i;

	add_kinds(&s);
	for (i = 1; i < s.len; i++) {
		ASSERT_EQ(0, write_octets(self->p.peer, s.octets, i));
		ASSERT_EQ(0, acknowledged(self->p.peer));
		ASSERT_EQ(0, write_octets(self->p.peer, s.octets + i, s.len - i));
		ASSERT_EQ(0, expect_kinds(self->p.owner))
			TH_LOG("split at octet %zu of %zu", i, s.len);
	}
	EXPECT_EQ(0, expect_silence(self->p.owner));
	EXPECT_EQ(0, expect_kind_counters(s.len - 1));
	stream_free(&s);
}

TEST_F(family, octet_by_octet)
{
	struct stream s = {};
	size_t i;

	add_kinds(&s);
	for (i = 0; i < s.len; i++) {
		ASSERT_EQ(0, write_octets(self->p.peer, s.octets + i, 1));
		ASSERT_EQ(0, acknowledged(self->p.peer));
	}
	EXPECT_EQ(0, expect_kinds(self->p.owner));
	EXPECT_EQ(0, expect_silence(self->p.owner));
	EXPECT_EQ(0, expect_kind_counters(1));
	stream_free(&s);
}

TEST_F(family, many_in_a_segment)
{
	struct stream s = {};
	int i;

	ASSERT_EQ(0, authenticate(self->p.owner));
	for (i = 0; i < 100; i++)
		add_kinds(&s);
	ASSERT_EQ(0, write_stream(self->p.peer, &s));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, expect_kinds(self->p.owner));
	EXPECT_EQ(0, expect_silence(self->p.owner));
	EXPECT_EQ(0, expect_kind_counters(100));
}

/* SO_RCVLOWAT counts octets of a stream, which the owner does not see. */
TEST_F(family, low_water_mark)
{
	EXPECT_ERROR(EOPNOTSUPP, set_int(self->p.owner, SOL_SOCKET,
					 SO_RCVLOWAT, 10000));
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
}

/* Lone keepalives, empty frames, runts and ESP are no messages. */
TEST_F(family, nothing_for_the_owner)
{
	struct stream s = {};

	add_empty(&s);
	add_keepalive(&s);
	add_esp(&s, 1, UNBOUND_SPI);
	add_esp(&s, 7, UNBOUND_SPI);
	add_esp(&s, 200, UNBOUND_SPI);
	add_ike(&s, 4, 0);
	add_ike(&s, MIN_IKE - 1, 0);
	ASSERT_EQ(0, write_stream(self->p.peer, &s));
	EXPECT_EQ(0, counter_reaches("rx-drop-runt", 4));
	EXPECT_EQ(1, counter("rx-empty"));
	EXPECT_EQ(1, counter("rx-keepalive"));
	EXPECT_EQ(1, counter("rx-drop-unbound"));
	EXPECT_EQ(0, counter("rx-ike-frames"));
	EXPECT_EQ(0, expect_silence(self->p.owner));
}

TEST_F(family, truncated)
{
	uint8_t message[100], buf[60];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = self->p.owner, i;

	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, write_ike(self->p.peer, 100, 0));
	ASSERT_EQ(0, write_ike(self->p.peer, 60, 1));
	fill_ike(message, sizeof(message), 0);

	EXPECT_EQ(60, recvmsg(fd, &msg, 0));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags & MSG_TRUNC);
	EXPECT_EQ(0, memcmp(buf, message, 60));
	EXPECT_EQ(100, recvmsg(fd, &msg, MSG_TRUNC));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags & MSG_TRUNC);
	EXPECT_EQ(60, recv(fd, buf, 60, 0));
	EXPECT_EQ(60, read(fd, buf, 60));
	EXPECT_EQ(100, recv(fd, buf, 1, MSG_TRUNC));

	EXPECT_EQ(60, recvmsg(fd, &msg, MSG_TRUNC));
	EXPECT_EQ(0, msg.msg_flags & MSG_TRUNC);
	EXPECT_EQ(0, expect_silence(fd));
}

TEST_F(family, into_pieces)
{
	uint8_t message[100], buf[100];
	struct iovec iov[] = { { buf, 3 }, { buf + 3, 0 }, { buf + 3, 97 } };

	ASSERT_EQ(0, write_ike(self->p.peer, 80, 1));
	fill_ike(message, 80, 1);
	EXPECT_EQ(80, readv(self->p.owner, iov, 3));
	EXPECT_EQ(0, memcmp(buf, message, 80));
}

TEST_F(family, no_address)
{
	struct sockaddr_storage addr;
	char buf[100], control[100];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_name = &addr, .msg_namelen = sizeof(addr),
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	ASSERT_EQ(0, write_ike(self->p.peer, 80, 1));
	EXPECT_EQ(80, recvmsg(self->p.owner, &msg, 0));
	EXPECT_EQ(0, msg.msg_namelen);
	EXPECT_EQ(0, msg.msg_controllen);
}

TEST_F(socket, several_in_a_call)
{
	uint8_t buf[4][100], message[100];
	struct mmsghdr msgs[4] = {};
	struct iovec iov[4];
	int i;

	for (i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, write_ike(self->p.peer, 50 + i, i));
	ASSERT_EQ(0, counter_reaches("rx-ike-frames", 3));
	EXPECT_EQ(3, recvmmsg(self->p.owner, msgs, 4, MSG_WAITFORONE, NULL));
	for (i = 0; i < 3; i++) {
		fill_ike(message, 50 + i, i);
		EXPECT_EQ(50U + i, msgs[i].msg_len);
		EXPECT_EQ(0, memcmp(buf[i], message, 50 + i));
	}
}

/* MSG_WAITALL fills a stream's buffer, but a message has an end. */
TEST_F(socket, wait_for_all)
{
	char buf[100];

	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	EXPECT_EQ(50, recv(self->p.owner, buf, sizeof(buf), MSG_WAITALL));
}

TEST_F(family, flags)
{
	char buf[100];
	int fd = self->p.owner;

	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	ASSERT_EQ(0, counter_reaches("rx-ike-frames", 1));
	EXPECT_ERROR(EOPNOTSUPP, recv(fd, buf, sizeof(buf), MSG_PEEK));
	EXPECT_ERROR(EOPNOTSUPP, recv(fd, buf, sizeof(buf), MSG_OOB));
	EXPECT_ERROR(EOPNOTSUPP, recv(fd, buf, sizeof(buf), MSG_ERRQUEUE));
	EXPECT_EQ(0, expect_ike(fd, 50, 1));
}

TEST_F(socket, into_a_bad_address)
{
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 1));
	ASSERT_EQ(0, write_ike(self->p.peer, 60, 2));
	EXPECT_ERROR(EFAULT, recv(self->p.owner, (void *)8, 50, 0));
	/* Whether the first is lost is not promised, the second is not. */
	if (expect_ike(self->p.owner, 60, 2))
		EXPECT_EQ(0, expect_ike(self->p.owner, 60, 2));
}

/* The writer is never far ahead, so that no queue of messages overflows. */
struct writer {
	int fd;
	sem_t credit;
};

static void *write_large(void *arg)
{
	struct writer *w = arg;
	long err = 0;
	int i;

	for (i = 0; i < LARGE_FRAMES && !err; i++) {
		sem_wait(&w->credit);
		err = write_ike(w->fd, MAX_MESSAGE, i) ||
		      write_esp(w->fd, MAX_MESSAGE, UNBOUND_SPI);
	}
	return (void *)err;
}

/* A receive buffer that no large frame fits into. */
FIXTURE(narrow) {
	struct pair p;
	struct writer writer;
	pthread_t thread;
};

FIXTURE_VARIANT(narrow) {
	enum family family;
};

FIXTURE_VARIANT_ADD(narrow, ipv4) { .family = IPV4 };
FIXTURE_VARIANT_ADD(narrow, ipv6) { .family = IPV6 };

FIXTURE_SETUP(narrow)
{
	int listener;

	ASSERT_EQ(0, net_enter());
	listener = pair_listen(variant->family);
	ASSERT_EQ(0, set_int(listener, SOL_SOCKET, SO_RCVBUF, 8192));
	self->p.peer = pair_connect(listener);
	self->p.owner = accept(listener, NULL, NULL);
	ASSERT_LE(0, self->p.owner);
	close(listener);
	set_timeout(self->p.owner, SO_RCVTIMEO, PATIENCE_SECONDS * 1000);
	self->writer.fd = self->p.peer;
	ASSERT_EQ(0, sem_init(&self->writer.credit, 0, 3));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, write_large,
				    &self->writer));
}

FIXTURE_TEARDOWN(narrow)
{
	void *err;
	int i;

	for (i = 0; i < LARGE_FRAMES; i++) {
		EXPECT_EQ(0, expect_ike(self->p.owner, MAX_MESSAGE, i));
		sem_post(&self->writer.credit);
	}
	pthread_join(self->thread, &err);
	EXPECT_EQ(NULL, err);
	EXPECT_EQ(0, counter_reaches("rx-drop-unbound", LARGE_FRAMES));
	pair_close(&self->p);
}

/* Frames that are larger than the buffer must not wait for room in it. */
TEST_F(narrow, flows)
{
	ASSERT_EQ(0, attach_authenticated(self->p.owner, variant->family));
}

/* TCP's window is closed and its buffer ends inside a frame. */
TEST_F(narrow, is_full_before_attaching)
{
	usleep(300 * 1000);
	ASSERT_EQ(0, attach_authenticated(self->p.owner, variant->family));
}

/* The peer does not wait until the prefix has been read and the ULP set. */
TEST_F(unattached, before_attaching)
{
	struct stream s = {};
	size_t cut;

	add_octets(&s, "IKETCP", 6);
	add_kinds(&s);
	cut = s.len + 20;
	add_ike(&s, 100, 4);

	ASSERT_EQ(0, write_octets(self->p.peer, s.octets, cut));
	ASSERT_EQ(0, acknowledged(self->p.peer));
	ASSERT_EQ(6, recv(self->p.owner, (char[6]){}, 6, MSG_WAITALL));
	ASSERT_EQ(0, pair_attach(self->p.owner));
	EXPECT_EQ(0, expect_kinds(self->p.owner));
	EXPECT_EQ(0, expect_silence(self->p.owner));
	ASSERT_EQ(0, write_octets(self->p.peer, s.octets + cut, s.len - cut));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 4));
	EXPECT_EQ(1, counter("rx-drop-unbound"));
	stream_free(&s);
}

TEST_F(unattached, low_water_mark_before_attaching)
{
	ASSERT_EQ(0, set_int(self->p.owner, SOL_SOCKET, SO_RCVLOWAT, 10000));
	ASSERT_EQ(0, pair_attach(self->p.owner));
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
}

/* An urgent octet is an octet of the stream like any other (RFC 6093). */
TEST_F(family, urgent_data)
{
	struct stream s = {};
	size_t i;

	add_ike(&s, 50, 1);
	for (i = 1; i <= s.len; i += 7) {
		ASSERT_EQ((ssize_t)i, send(self->p.peer, s.octets, i, MSG_OOB));
		ASSERT_EQ(0, write_octets(self->p.peer, s.octets + i, s.len - i));
		ASSERT_EQ(0, write_ike(self->p.peer, 60, 2));
		ASSERT_EQ(0, expect_ike(self->p.owner, 50, 1));
		ASSERT_EQ(0, expect_ike(self->p.owner, 60, 2));
	}
	stream_free(&s);
}

TEST_F(family, does_not_block)
{
	char buf[100];

	EXPECT_ERROR(EAGAIN, recv(self->p.owner, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(0, write_octets(self->p.peer, "\0\x30\0\0", 4));
	EXPECT_ERROR(EAGAIN, recv(self->p.owner, buf, sizeof(buf), MSG_DONTWAIT));
}

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 +
	       (now.tv_nsec - since->tv_nsec) / 1000000;
}

TEST_F(socket, timeout)
{
	struct timespec start;
	char buf[100];

	clock_gettime(CLOCK_MONOTONIC, &start);
	set_timeout(self->p.owner, SO_RCVTIMEO, 300);
	EXPECT_ERROR(EAGAIN, recv(self->p.owner, buf, sizeof(buf), 0));
	EXPECT_LE(290, elapsed_ms(&start));
}

TEST_F(socket, interrupted)
{
	char buf[100];

	set_timeout(self->p.owner, SO_RCVTIMEO, 0);
	interrupt_in(200, SA_RESTART);
	interrupt_in(200, 0);
	EXPECT_ERROR(EINTR, recv(self->p.owner, buf, sizeof(buf), 0));
}

struct late {
	int fd, ms;
};

static void *write_late(void *arg)
{
	const struct late *l = arg;

	usleep(l->ms * 1000);
	return (void *)(long)write_ike(l->fd, 50, 1);
}

/* Blocks without end, a handler with SA_RESTART does not show. */
TEST_F(family, blocks)
{
	struct late late = { self->p.peer, 400 };
	pthread_t thread;

	set_timeout(self->p.owner, SO_RCVTIMEO, 0);
	interrupt_in(200, SA_RESTART);
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_late, &late));
	EXPECT_EQ(0, expect_ike(self->p.owner, 50, 1));
	pthread_join(thread, NULL);
}

/* Two readers: each message goes to one of them. */
static void *read_one(void *arg)
{
	char buf[100];

	return (void *)(long)recv(*(int *)arg, buf, sizeof(buf), 0);
}

TEST_F(socket, two_readers)
{
	pthread_t thread[2];
	long sum = 0;
	void *len;
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, read_one,
					    &self->p.owner));
	ASSERT_EQ(0, write_ike(self->p.peer, 40, 1));
	ASSERT_EQ(0, write_ike(self->p.peer, 50, 2));
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], &len);
		sum += (long)len;
	}
	EXPECT_EQ(90, sum);
	EXPECT_EQ(0, expect_silence(self->p.owner));
}

/* An owner who does not read loses messages, and nobody else notices. */
TEST_F(family, queue_overflows)
{
	long long queued, dropped;
	int sent = 0, i;

	ASSERT_EQ(0, authenticate(self->p.owner));
	while (counter("rx-drop-ike-full") < 50) {
		ASSERT_GT(20000, sent);
		ASSERT_EQ(0, write_ike(self->p.peer, 1000, sent++));
	}
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(0, write_esp(self->p.peer, 1000, UNBOUND_SPI));
	EXPECT_EQ(0, counter_reaches("rx-drop-unbound", 1000));

	queued = counter("rx-ike-frames");
	dropped = counter("rx-drop-ike-full");
	EXPECT_EQ(sent, queued + dropped);
	/* The oldest were kept. */
	for (i = 0; i < queued; i++)
		ASSERT_EQ(0, expect_ike(self->p.owner, 1000, i));
	EXPECT_EQ(0, expect_silence(self->p.owner));

	ASSERT_EQ(0, write_ike(self->p.peer, 1000, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 1000, 1));
}

/* Whoever can connect may send as much as it takes to authenticate, no more. */
TEST_F(family, unauthenticated)
{
	int i, queued;

	ASSERT_EQ(0, write_ike(self->p.peer, UNAUTH_MAX / 2 + 1, 1));
	ASSERT_EQ(0, write_ike(self->p.peer, UNAUTH_MAX / 2, 2));
	EXPECT_EQ(0, expect_ike(self->p.owner, UNAUTH_MAX / 2, 2));
	EXPECT_EQ(1, counter("rx-drop-ike-unauth"));

	/* There is room for as much in fragments (RFC 7383), not for more. */
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, write_ike(self->p.peer, 1280, i));
	ASSERT_EQ(0, write_esp(self->p.peer, 1000, UNBOUND_SPI));
	ASSERT_EQ(0, counter_reaches("rx-drop-unbound", 1));
	queued = counter("rx-ike-frames") - 1;
	EXPECT_EQ(200, queued + counter("rx-drop-ike-unauth") - 1);
	EXPECT_LE(UNAUTH_MAX / 2, queued * 1280);
	EXPECT_GE(UNAUTH_MAX, queued * 1280);
	for (i = 0; i < queued; i++) {
		ASSERT_EQ(0, expect_ike(self->p.owner, 1280, i));
	}
	EXPECT_EQ(0, expect_silence(self->p.owner));

	ASSERT_EQ(0, authenticate(self->p.owner));
	ASSERT_EQ(0, write_ike(self->p.peer, MAX_MESSAGE, 3));
	EXPECT_EQ(0, expect_ike(self->p.owner, MAX_MESSAGE, 3));
	EXPECT_EQ(0, counter("rx-drop-ike-full"));
}

TEST_F(family, after_shutdown_of_reading)
{
	int fd = self->p.owner;

	ASSERT_EQ(0, shutdown(fd, SHUT_RD));
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	ASSERT_EQ(0, write_esp(self->p.peer, 100, UNBOUND_SPI));
	EXPECT_EQ(0, counter_reaches("rx-drop-ike-closed", 1));
	EXPECT_EQ(0, counter_reaches("rx-drop-unbound", 1));
	EXPECT_EQ(0, expect_end(fd));
	ASSERT_EQ(0, send_ike(fd, 100, 2, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 100, 2));
}

TEST_HARNESS_MAIN
