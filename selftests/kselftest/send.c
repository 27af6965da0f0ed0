// SPDX-License-Identifier: GPL-2.0
/*
 * Sending on an attached socket: one call is one message is one frame.
 */
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "fixture.h"

#define FLOOD_LEN	30000

TEST_F(family, frames)
{
	static const size_t sizes[] = { 5, 6, 32, 253, 254, 255, 1448, 16384, 65532,
				 MAX_MESSAGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, send_ike(self->p.owner, sizes[i], i, 0));
		EXPECT_EQ(0, expect_wire(self->p.peer, sizes[i], i))
			TH_LOG("message of %zu octets", sizes[i]);
	}
	EXPECT_EQ(0, expect_silence(self->p.peer));
	EXPECT_EQ(0, counter_reaches("tx-ike-frames", i));
}

TEST_F(family, from_pieces)
{
	uint8_t message[300];
	struct iovec iov[] = {
		{ message, 1 }, { message + 1, 0 }, { message + 1, 6 },
		{ message + 7, 293 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov) };

	fill_ike(message, sizeof(message), 1);
	ASSERT_EQ(300, sendmsg(self->p.owner, &msg, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 300, 1));
	ASSERT_EQ(300, writev(self->p.owner, iov, ARRAY_SIZE(iov)));
	EXPECT_EQ(0, expect_wire(self->p.peer, 300, 1));
	ASSERT_EQ(300, write(self->p.owner, message, sizeof(message)));
	EXPECT_EQ(0, expect_wire(self->p.peer, 300, 1));
}

TEST_F(socket, several_in_a_call)
{
	uint8_t message[3][100];
	struct mmsghdr msgs[3] = {};
	struct iovec iov[3];
	int i;

	for (i = 0; i < 3; i++) {
		fill_ike(message[i], 60 + i, i);
		iov[i] = (struct iovec){ message[i], 60 + i };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(3, sendmmsg(self->p.owner, msgs, 3, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(60U + i, msgs[i].msg_len);
		EXPECT_EQ(0, expect_wire(self->p.peer, 60 + i, i));
	}
}

/* MSG_MORE may delay a message, but never joins two, nor keeps one back. */
TEST_F(socket, more_to_come)
{
	ASSERT_EQ(0, send_ike(self->p.owner, 40, 1, MSG_MORE));
	ASSERT_EQ(0, send_ike(self->p.owner, 50, 2, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 40, 1));
	EXPECT_EQ(0, expect_wire(self->p.peer, 50, 2));
}

TEST_F(family, not_a_message)
{
	static const uint8_t zeros[5], esp[40] = { 0, 0, 0, 1 };
	int fd = self->p.owner;
	size_t len;

	for (len = 0; len <= 4; len++)
		EXPECT_ERROR(EINVAL, send(fd, zeros, len, 0));
	EXPECT_ERROR(EINVAL, send(fd, esp, sizeof(esp), 0));
	EXPECT_ERROR(EINVAL, send(fd, "\xff", 1, 0));
	EXPECT_ERROR(EINVAL, send(fd, "IKETCP", 6, 0));

	ASSERT_EQ(0, send_ike(fd, 50, 1, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 50, 1));
	EXPECT_EQ(0, counter_reaches("tx-ike-frames", 1));
}

TEST_F(family, too_long)
{
	static const uint8_t zeros[70000];
	int fd = self->p.owner;

	EXPECT_ERROR(EMSGSIZE, send(fd, zeros, MAX_MESSAGE + 1, 0));
	EXPECT_ERROR(EMSGSIZE, send(fd, zeros, 65535, 0));
	EXPECT_ERROR(EMSGSIZE, send(fd, zeros, 65536, 0));
	EXPECT_ERROR(EMSGSIZE, send(fd, zeros, sizeof(zeros), 0));

	ASSERT_EQ(0, send_ike(fd, 50, 1, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 50, 1));
}

TEST_F(socket, from_a_bad_address)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, munmap(page + 4096, 4096));
	EXPECT_ERROR(EFAULT, send(self->p.owner, page + 4096 - 100, 200, 0));
	EXPECT_ERROR(EFAULT, send(self->p.owner, page + 4096, 200, 0));

	ASSERT_EQ(0, send_ike(self->p.owner, 50, 1, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 50, 1));
}

TEST_F(socket, flags)
{
	int fd = self->p.owner;

	ASSERT_EQ(0, set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	EXPECT_ERROR(EOPNOTSUPP, send_ike(fd, 50, 1, MSG_OOB));
	EXPECT_ERROR(EOPNOTSUPP, send_ike(fd, 50, 1, MSG_ZEROCOPY));
	EXPECT_ERROR(EOPNOTSUPP, send_ike(fd, 50, 1, MSG_FASTOPEN));

	ASSERT_EQ(0, send_ike(fd, 50, 2, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 50, 2));
}

/* Pages from a file or a pipe cannot be told apart into messages. */
TEST_F(socket, sendfile_and_splice)
{
	int file = memfd_create("message", 0), pipes[2], fd = self->p.owner;
	static const uint8_t zeros[100];
	off_t at = 0;

	ASSERT_EQ(100, write(file, zeros, sizeof(zeros)));
	EXPECT_ERROR(EOPNOTSUPP, sendfile(fd, file, &at, sizeof(zeros)));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(100, write(pipes[1], zeros, sizeof(zeros)));
	EXPECT_ERROR(EOPNOTSUPP, splice(pipes[0], NULL, fd, NULL, 100, 0));

	ASSERT_EQ(0, send_ike(fd, 50, 1, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 50, 1));
}

static int expect_flood(int fd, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (expect_wire(fd, FLOOD_LEN, i))
			return -1;
	return 0;
}

/* A message is taken whole or not at all. */
TEST_F(family, would_block)
{
	struct pollfd pfd = { .fd = self->p.owner, .events = POLLOUT };
	int count = flood_ike(self->p.owner, FLOOD_LEN);

	ASSERT_LT(0, count);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_EQ(0, expect_flood(self->p.peer, count));
	EXPECT_EQ(1, poll(&pfd, 1, PATIENCE_SECONDS * 1000));
	EXPECT_EQ(0, expect_silence(self->p.peer));
	EXPECT_EQ(0, send_ike(self->p.owner, 50, 1, MSG_DONTWAIT));
	EXPECT_EQ(0, expect_wire(self->p.peer, 50, 1));
	EXPECT_EQ(0, counter_reaches("tx-ike-frames", count + 1));
}

TEST_F(socket, nonblocking_descriptor)
{
	int count = flood_ike(self->p.owner, FLOOD_LEN);

	ASSERT_EQ(0, fcntl(self->p.owner, F_SETFL, O_NONBLOCK));
	EXPECT_ERROR(EAGAIN, send_ike(self->p.owner, FLOOD_LEN, count, 0));
	EXPECT_EQ(0, expect_flood(self->p.peer, count));
}

TEST_F(socket, timeout)
{
	int count = flood_ike(self->p.owner, FLOOD_LEN);

	set_timeout(self->p.owner, SO_SNDTIMEO, 300);
	EXPECT_ERROR(EAGAIN, send_ike(self->p.owner, FLOOD_LEN, 1, 0));
	EXPECT_EQ(0, expect_flood(self->p.peer, count));
	EXPECT_EQ(0, expect_silence(self->p.peer));
}

TEST_F(socket, interrupted)
{
	int count = flood_ike(self->p.owner, FLOOD_LEN);

	interrupt_in(300, 0);
	EXPECT_ERROR(EINTR, send_ike(self->p.owner, FLOOD_LEN, 1, 0));
	EXPECT_EQ(0, expect_flood(self->p.peer, count));
	EXPECT_EQ(0, expect_silence(self->p.peer));
}

struct reader {
	int fd, count, result;
};

static void *read_flood(void *arg)
{
	struct reader *r = arg;

	usleep(200 * 1000);
	r->result = expect_flood(r->fd, r->count);
	return NULL;
}

/* A sender that blocks goes on when the peer reads. */
TEST_F(socket, blocks)
{
	int count = flood_ike(self->p.owner, FLOOD_LEN), i;
	struct reader reader = { self->p.peer, count + 20, -1 };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, read_flood, &reader));
	for (i = count; i < count + 20; i++)
		ASSERT_EQ(0, send_ike(self->p.owner, FLOOD_LEN, i, 0));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, reader.result);
}

TEST_F(family, after_shutdown)
{
	ASSERT_EQ(0, send_ike(self->p.owner, 100, 1, 0));
	ASSERT_EQ(0, shutdown(self->p.owner, SHUT_WR));
	EXPECT_ERROR(EPIPE, send_ike(self->p.owner, 100, 2, MSG_NOSIGNAL));
	EXPECT_EQ(0, expect_wire(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_end(self->p.peer));

	/* The other direction is still open. */
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 3));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 3));
}

TEST_F_SIGNAL(socket, broken_pipe_signal, SIGPIPE)
{
	shutdown(self->p.owner, SHUT_WR);
	send_ike(self->p.owner, 100, 2, 0);
}

/* What was taken before is sent before the FIN, however long it takes. */
TEST_F(socket, shutdown_of_a_full_socket)
{
	int count = flood_ike(self->p.owner, FLOOD_LEN);

	ASSERT_EQ(0, shutdown(self->p.owner, SHUT_WR));
	EXPECT_EQ(0, expect_flood(self->p.peer, count));
	EXPECT_EQ(0, expect_end(self->p.peer));
}

TEST_F(socket, after_a_reset)
{
	ASSERT_EQ(0, reset_fd(&self->p.peer));
	ASSERT_EQ(0, counter_reaches("connections", 1));
	EXPECT_EQ(-1, send_ike(self->p.owner, 100, 1, MSG_NOSIGNAL));
	EXPECT_ERROR(EPIPE, send_ike(self->p.owner, 100, 1, MSG_NOSIGNAL));
}

TEST_HARNESS_MAIN
