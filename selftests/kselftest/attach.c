// SPDX-License-Identifier: GPL-2.0
/*
 * Which sockets can be attached with TCP_ULP, by whom, and what else can then
 * no longer be done with them.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "fixture.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

TEST_F(family, has_the_ulp)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, getsockopt(self->p.owner, IPPROTO_TCP, TCP_ULP, name, &len));
	EXPECT_STREQ("esptcp", name);
	EXPECT_EQ(1, counter("connections"));
}

TEST_F(family, twice)
{
	EXPECT_ERROR(EEXIST, pair_attach(self->p.owner));
	EXPECT_EQ(1, counter("connections"));
}

TEST_F(family, both_ends)
{
	ASSERT_EQ(0, pair_attach(self->p.peer));
	EXPECT_EQ(2, counter("connections"));
	ASSERT_EQ(0, send_ike(self->p.owner, 500, 1, 0));
	EXPECT_EQ(0, expect_ike(self->p.peer, 500, 1));
	ASSERT_EQ(0, send_ike(self->p.peer, 600, 2, 0));
	EXPECT_EQ(0, expect_ike(self->p.owner, 600, 2));
}

/* What a stream socket would still offer. */
TEST_F(family, other_calls)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct tcp_zerocopy_receive zc = { .length = 4096 };
	socklen_t len = sizeof(zc);
	int fd = self->p.owner, pipes[2];

	EXPECT_ERROR(EBUSY, connect(fd, &unspec, sizeof(unspec)));
	EXPECT_ERROR(EINVAL, listen(fd, 1));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_ERROR(EOPNOTSUPP, splice(fd, NULL, pipes[1], NULL, 4096, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_ERROR(EOPNOTSUPP, getsockopt(fd, IPPROTO_TCP,
					    TCP_ZEROCOPY_RECEIVE, &zc, &len));

	/* None of this has harmed the connection. */
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(fd, 100, 1));
}

TEST_F(socket, tls_on_top)
{
	EXPECT_ERROR(EEXIST, setsockopt(self->p.owner, IPPROTO_TCP, TCP_ULP,
					"tls", 3));
}

static int sockmap(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = 4, .value_size = 4, .max_entries = 1,
	};

	return syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int sockmap_add(int map, int fd)
{
	int key = 0;
	union bpf_attr attr = {
		.map_fd = map, .flags = BPF_ANY,
		.key = (uintptr_t)&key, .value = (uintptr_t)&fd,
	};

	return syscall(__NR_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

TEST_F(socket, sockmap_refuses_it)
{
	int map = sockmap();

	if (map < 0)
		SKIP(return, "no sockmap: %s", strerror(errno));
	EXPECT_EQ(-1, sockmap_add(map, self->p.owner));
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(self->p.owner, 100, 1));
}

TEST_F(unattached, tls_below)
{
	int fd = self->p.owner;

	if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", 3))
		SKIP(return, "no TLS: %s", strerror(errno));
	EXPECT_ERROR(EEXIST, pair_attach(fd));
}

/* sockmap has replaced the socket's operations: ours would undo that. */
TEST_F(unattached, in_a_sockmap)
{
	int map = sockmap();

	if (map < 0 || sockmap_add(map, self->p.owner))
		SKIP(return, "no sockmap: %s", strerror(errno));
	EXPECT_EQ(-1, pair_attach(self->p.owner));
	TH_LOG("refused: %s", strerror(errno));
	ASSERT_EQ(1, send(self->p.peer, "x", 1, 0));
}

TEST_F(unattached, never_connected)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ASSERT_LE(0, fd);
	EXPECT_ERROR(ENOTCONN, pair_attach(fd));
	ASSERT_EQ(0, listen(fd, 1));
	EXPECT_ERROR(ENOTCONN, pair_attach(fd));
	close(fd);
}

/* The listener's queue is full, so the SYN is not answered. */
TEST_F(unattached, connecting)
{
	struct sockaddr_in addr = {};
	socklen_t len = sizeof(addr);
	int listener = pair_listen(IPV4), fd, i;

	ASSERT_EQ(0, listen(listener, 0));
	ASSERT_EQ(0, getsockname(listener, (void *)&addr, &len));
	for (i = 0; i < 3; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ASSERT_LE(0, fd);
		EXPECT_ERROR(EINPROGRESS, connect(fd, (void *)&addr, len));
	}
	EXPECT_ERROR(ENOTCONN, pair_attach(fd));
}

TEST_F(unattached, reset_by_the_peer)
{
	char octet;

	ASSERT_EQ(0, reset_fd(&self->p.peer));
	EXPECT_ERROR(ECONNRESET, recv(self->p.owner, &octet, 1, 0));
	EXPECT_ERROR(ENOTCONN, pair_attach(self->p.owner));
}

TEST_F(unattached, closed_by_the_peer)
{
	char octet;

	close_fd(&self->p.peer);
	ASSERT_EQ(0, recv(self->p.owner, &octet, 1, 0));
	EXPECT_ERROR(ENOTCONN, pair_attach(self->p.owner));
}

TEST_F(unattached, shut_down)
{
	ASSERT_EQ(0, shutdown(self->p.owner, SHUT_WR));
	EXPECT_ERROR(ENOTCONN, pair_attach(self->p.owner));
}

TEST_F(unattached, mptcp)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

	if (fd < 0)
		SKIP(return, "no MPTCP: %s", strerror(errno));
	/* MPTCP itself refuses, not all versions with the same error. */
	EXPECT_EQ(-1, pair_attach(fd));
	EXPECT_TRUE(errno == EOPNOTSUPP || errno == ENOPROTOOPT);
	close(fd);
}

/* The module is there: the tests before have loaded it. */
TEST_F(unattached, without_capability)
{
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	EXPECT_ERROR(EPERM, pair_attach(self->p.owner));
	EXPECT_EQ(1, send(self->p.owner, "x", 1, 0));
}

/* CAP_NET_ADMIN counts where the socket's namespace belongs, not elsewhere. */
TEST_F(unattached, capability_in_another_user_namespace)
{
	if (unshare(CLONE_NEWUSER))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	EXPECT_ERROR(EPERM, pair_attach(self->p.owner));
}

TEST_F(unattached, capability_in_ones_own_user_namespace)
{
	struct pair p;

	if (unshare(CLONE_NEWUSER))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, pair_open(&p, IPV4));
	EXPECT_EQ(0, pair_attach(p.owner));
	ASSERT_EQ(0, write_ike(p.peer, 100, 1));
	EXPECT_EQ(0, expect_ike(p.owner, 100, 1));
	pair_close(&p);
}

TEST_HARNESS_MAIN
