// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: attaching, showing, binding, counters, events, and who
 * may do what.
 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include "counter.h"
#include "frame.h"
#include "framing.h"
#include "genl.h"
#include "pair.h"

#define MANY		500
#define SAME		250
#define PATIENCE_MS	(PATIENCE_SECONDS * 1000)

FIXTURE(netlink) {
	struct genl g, events;
	struct pair p;
	uint32_t id;
};

FIXTURE_VARIANT(netlink) {
	enum family family;
};

FIXTURE_VARIANT_ADD(netlink, ipv4) { .family = IPV4 };
FIXTURE_VARIANT_ADD(netlink, ipv6) { .family = IPV6 };
FIXTURE_VARIANT_ADD(netlink, mapped) { .family = MAPPED };

FIXTURE_SETUP(netlink)
{
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, genl_open(&self->g));
	ASSERT_EQ(0, genl_open(&self->events));
	ASSERT_EQ(0, genl_subscribe(&self->events));
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	ASSERT_EQ(0, genl_attach(&self->g, self->p.owner, 0, &self->id));
	ASSERT_NE(0, self->id);
}

FIXTURE_TEARDOWN(netlink)
{
	pair_close(&self->p);
	genl_close(&self->events);
	genl_close(&self->g);
}

static int port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);

	return name(fd, (void *)&addr, &len) ? -1 : ntohs(addr.sin6_port);
}

/* A connection is told with what the socket itself says. */
static int describes(const struct conn *conn, int fd, enum family family)
{
	const struct in6_addr v6 = IN6ADDR_LOOPBACK_INIT;
	const struct in_addr v4 = { htonl(INADDR_LOOPBACK) };
	int len = family == IPV6 ? 16 : 4;
	const void *addr = family == IPV6 ? (void *)&v6 : (void *)&v4;
	struct stat st;

	return !fstat(fd, &st) && conn->inode == st.st_ino &&
	       conn->local_port == port_of(fd, getsockname) &&
	       conn->remote_port == port_of(fd, getpeername) &&
	       conn->local.len == len && conn->remote.len == len &&
	       !memcmp(conn->local.octets, addr, len) &&
	       !memcmp(conn->remote.octets, addr, len);
}

TEST_F(netlink, conn_by_id)
{
	struct conn conn;

	ASSERT_EQ(0, genl_conn_by_id(&self->g, self->id, &conn));
	EXPECT_EQ(self->id, conn.id);
	EXPECT_EQ(ESPTCP_FRAMING_RFC9329, conn.framing);
	EXPECT_EQ(ESPTCP_STATE_UP, conn.state);
	EXPECT_EQ(ESPTCP_REASON_NONE, conn.reason);
	EXPECT_EQ(0, conn.bindings);
	EXPECT_EQ(0, conn.tx_queue);
	EXPECT_EQ(0, conn.ike_rx_queue);
	EXPECT_TRUE(describes(&conn, self->p.owner, variant->family));
}

TEST_F(netlink, conn_by_fd)
{
	struct conn conn;

	ASSERT_EQ(0, genl_conn_by_fd(&self->g, self->p.owner, &conn));
	EXPECT_EQ(self->id, conn.id);
	EXPECT_TRUE(describes(&conn, self->p.owner, variant->family));
}

TEST_F(netlink, conn_age)
{
	struct conn conn;

	usleep(200 * 1000);
	ASSERT_EQ(0, genl_conn_by_id(&self->g, self->id, &conn));
	EXPECT_LE(190, conn.age);
	EXPECT_GT(PATIENCE_MS, conn.age);
}

TEST_F(netlink, conn_counters)
{
	struct conn conn;

	ASSERT_EQ(0, send_ike(self->p.owner, 100, 1, 0));
	EXPECT_EQ(0, expect_wire(self->p.peer, 100, 1));
	ASSERT_EQ(0, write_esp(self->p.peer, 100, 1));
	ASSERT_EQ(0, write_ike(self->p.peer, 200, 2));
	ASSERT_EQ(0, counter_reaches("rx-ike-frames", 1));
	ASSERT_EQ(0, counter_reaches("tx-ike-frames", 1));
	ASSERT_EQ(0, genl_conn_by_id(&self->g, self->id, &conn));
	EXPECT_EQ(1, conn.stats[ESPTCP_A_STATS_TX_IKE_FRAMES]);
	EXPECT_EQ(100, conn.stats[ESPTCP_A_STATS_TX_IKE_BYTES]);
	EXPECT_EQ(1, conn.stats[ESPTCP_A_STATS_RX_IKE_FRAMES]);
	EXPECT_EQ(200, conn.stats[ESPTCP_A_STATS_RX_IKE_BYTES]);
	EXPECT_EQ(1, conn.stats[ESPTCP_A_STATS_RX_DROP_UNBOUND]);
	EXPECT_LE(200, conn.ike_rx_queue);
	EXPECT_EQ(0, expect_ike(self->p.owner, 200, 2));
	ASSERT_EQ(0, genl_conn_by_id(&self->g, self->id, &conn));
	EXPECT_EQ(0, conn.ike_rx_queue);
}

TEST_F(netlink, conn_is_gone)
{
	struct conn conn;

	close_fd(&self->p.owner);
	EXPECT_EQ(-ENOENT, genl_conn_by_id(&self->g, self->id, &conn));
	EXPECT_EQ(0, genl_conns(&self->g, &conn, 1));
}

TEST_F(netlink, attach_twice)
{
	uint32_t id;

	EXPECT_EQ(-EEXIST, genl_attach(&self->g, self->p.owner, 0, &id));
	EXPECT_EQ(-1, pair_attach(self->p.owner));
	EXPECT_EQ(EEXIST, errno);
}

TEST_F(netlink, events_of_a_life)
{
	struct event e;

	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	EXPECT_EQ(ESPTCP_CMD_CONN_UP_NTF, e.cmd);
	EXPECT_EQ(self->id, e.conn.id);
	EXPECT_EQ(ESPTCP_STATE_UP, e.conn.state);
	EXPECT_TRUE(describes(&e.conn, self->p.owner, variant->family));

	close_fd(&self->p.owner);
	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	EXPECT_EQ(ESPTCP_CMD_CONN_DOWN_NTF, e.cmd);
	EXPECT_EQ(self->id, e.conn.id);
	EXPECT_EQ(ESPTCP_STATE_DOWN, e.conn.state);
	EXPECT_EQ(ESPTCP_REASON_CLOSED, e.conn.reason);
	EXPECT_EQ(-ETIMEDOUT, genl_event(&self->events, &e, 100));
}

/* The one event after the connection came up; its reason. */
static int reason_down(struct genl *events, uint32_t id)
{
	struct event e;

	if (genl_event(events, &e, PATIENCE_MS) ||
	    e.cmd != ESPTCP_CMD_CONN_UP_NTF ||
	    genl_event(events, &e, PATIENCE_MS) ||
	    e.cmd != ESPTCP_CMD_CONN_DOWN_NTF || e.conn.id != id ||
	    e.conn.state != ESPTCP_STATE_DOWN)
		return -1;
	return e.conn.reason;
}

/* The connection is shown with its reason until the owner closes it. */
static int reason_shown(struct genl *g, uint32_t id)
{
	struct conn conn;

	if (genl_conn_by_id(g, id, &conn) || conn.state != ESPTCP_STATE_DOWN)
		return -1;
	return conn.reason;
}

TEST_F(netlink, reason_eof)
{
	close_fd(&self->p.peer);
	EXPECT_EQ(ESPTCP_REASON_EOF, reason_down(&self->events, self->id));
	EXPECT_EQ(ESPTCP_REASON_EOF, reason_shown(&self->g, self->id));
}

TEST_F(netlink, reason_reset)
{
	ASSERT_EQ(0, reset_fd(&self->p.peer));
	EXPECT_EQ(ESPTCP_REASON_RESET, reason_down(&self->events, self->id));
	EXPECT_EQ(ESPTCP_REASON_RESET, reason_shown(&self->g, self->id));
}

TEST_F(netlink, reason_bad_length)
{
	ASSERT_EQ(0, write_octets(self->p.peer, "\0\1", 2));
	EXPECT_EQ(ESPTCP_REASON_BAD_LENGTH, reason_down(&self->events, self->id));
	EXPECT_EQ(ESPTCP_REASON_BAD_LENGTH, reason_shown(&self->g, self->id));
}

TEST_F(netlink, reason_timeout)
{
	ASSERT_EQ(0, set_int(self->p.owner, IPPROTO_TCP, TCP_USER_TIMEOUT, 500));
	blackhole(self->p.peer);
	ASSERT_EQ(0, send_ike(self->p.owner, 100, 1, 0));
	EXPECT_EQ(ESPTCP_REASON_TIMEOUT, reason_down(&self->events, self->id));
	EXPECT_EQ(ESPTCP_REASON_TIMEOUT, reason_shown(&self->g, self->id));
}

TEST_F(netlink, reason_keepalive)
{
	int fd = self->p.owner;

	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1));
	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1));
	ASSERT_EQ(0, set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 1));
	ASSERT_EQ(0, set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	blackhole(self->p.peer);
	EXPECT_EQ(ESPTCP_REASON_TIMEOUT, reason_down(&self->events, self->id));
}

/* Without an attached socket in the way. */
FIXTURE(bare) {
	struct genl g, events;
	struct pair p;
};

FIXTURE_SETUP(bare)
{
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, genl_open(&self->g));
	ASSERT_EQ(0, genl_open(&self->events));
	ASSERT_EQ(0, genl_subscribe(&self->events));
	ASSERT_EQ(0, pair_open(&self->p, IPV4));
}

FIXTURE_TEARDOWN(bare)
{
	pair_close(&self->p);
	genl_close(&self->events);
	genl_close(&self->g);
}

TEST_F(bare, attach_by_ulp_is_shown)
{
	struct event e;
	struct conn conn;

	ASSERT_EQ(0, pair_attach(self->p.owner));
	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	EXPECT_EQ(ESPTCP_CMD_CONN_UP_NTF, e.cmd);
	ASSERT_EQ(0, genl_conn_by_fd(&self->g, self->p.owner, &conn));
	EXPECT_EQ(e.conn.id, conn.id);
	EXPECT_TRUE(describes(&conn, self->p.owner, IPV4));
}

/* As "ss --kill" does: TCP aborts a connection for the administrator. */
static int destroy(int family, int sport, int dport)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 r;
	} req = {
		.nlh = { .nlmsg_len = sizeof(req), .nlmsg_type = SOCK_DESTROY,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.r = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP,
		       .id = { .idiag_sport = htons(sport),
			       .idiag_dport = htons(dport),
			       .idiag_src = { htonl(INADDR_LOOPBACK) },
			       .idiag_dst = { htonl(INADDR_LOOPBACK) },
			       .idiag_cookie = { INET_DIAG_NOCOOKIE,
						 INET_DIAG_NOCOOKIE } } },
	};
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} ack = {};
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG);

	if (send(fd, &req, sizeof(req), 0) < 0 || recv(fd, &ack, sizeof(ack), 0) < 0)
		ack.err.error = -errno;
	close(fd);
	return ack.err.error;
}

TEST_F(bare, reason_error)
{
	uint32_t id;
	int err;

	ASSERT_EQ(0, genl_attach(&self->g, self->p.owner, 0, &id));
	err = destroy(AF_INET, port_of(self->p.owner, getsockname),
		      port_of(self->p.owner, getpeername));
	if (err == -EOPNOTSUPP)
		SKIP(return, "no INET_DIAG_DESTROY");
	ASSERT_EQ(0, err);
	EXPECT_EQ(ESPTCP_REASON_ERROR, reason_down(&self->events, id));
	EXPECT_EQ(-1, recv(self->p.owner, (char[1]){}, 1, 0));
	EXPECT_EQ(ECONNABORTED, errno);
}

TEST_F(bare, attach_other_descriptors)
{
	int pipes[2], udp = socket(AF_INET, SOCK_DGRAM, 0);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	uint32_t id;

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, genl_attach(&self->g, 999, 0, &id));
	EXPECT_EQ(-EBADF, genl_attach(&self->g, -1, 0, &id));
	EXPECT_EQ(-ENOTSOCK, genl_attach(&self->g, pipes[0], 0, &id));
	EXPECT_EQ(-EPROTONOSUPPORT, genl_attach(&self->g, udp, 0, &id));
	EXPECT_EQ(-EPROTONOSUPPORT, genl_attach(&self->g, local, 0, &id));
	EXPECT_EQ(-ENOTCONN, genl_attach(&self->g, tcp, 0, &id));
	ASSERT_EQ(0, listen(tcp, 1));
	EXPECT_EQ(-ENOTCONN, genl_attach(&self->g, tcp, 0, &id));
	EXPECT_EQ(0, counter("connections"));
}

TEST_F(bare, attach_mptcp)
{
	int fd = socket(AF_INET, SOCK_STREAM, 262);
	uint32_t id;

	if (fd < 0)
		SKIP(return, "no MPTCP: %s", strerror(errno));
	EXPECT_EQ(-EOPNOTSUPP, genl_attach(&self->g, fd, 0, &id));
}

TEST_F(bare, attach_socket_of_another_namespace)
{
	struct genl other;
	uint32_t id;
	int err;

	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, genl_open(&other));
	err = genl_attach(&other, self->p.owner, 0, &id);
	EXPECT_GT(0, err);
	TH_LOG("refused: %s", strerror(-err));
	genl_close(&other);
}

TEST_F(bare, attach_malformed)
{
	struct genl *g = &self->g;
	int fd = self->p.owner;

	EXPECT_EQ(-EINVAL, genl_do(g, ESPTCP_CMD_ATTACH, NULL));
	EXPECT_EQ(-ERANGE, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_FRAMING, 2), {} }));
	EXPECT_EQ(-ERANGE, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_REPLACES, 0), {} }));
	EXPECT_EQ(-EINVAL, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_ID, 7), {} }));
	EXPECT_EQ(-EINVAL, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_OCTETS(ESPTCP_A_CONN_FD, "ab", 2), {} }));
	EXPECT_EQ(-ENOENT, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_REPLACES, 4711), {} }));
	EXPECT_EQ(0, counter("connections"));

	/* None of this was in the way of a good request. */
	EXPECT_EQ(0, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_FRAMING, ESPTCP_FRAMING_RFC9329), {} }));
}

TEST_F(bare, conn_get_malformed)
{
	struct conn conn;

	EXPECT_EQ(-EINVAL, genl_do(&self->g, ESPTCP_CMD_CONN_GET, NULL));
	EXPECT_EQ(-ERANGE, genl_conn_by_id(&self->g, 0, &conn));
	EXPECT_EQ(-ENOENT, genl_conn_by_id(&self->g, 4711, &conn));
	EXPECT_EQ(-EBADF, genl_conn_by_fd(&self->g, 999, &conn));
	EXPECT_GT(0, genl_conn_by_fd(&self->g, self->p.owner, &conn));
}

TEST_F(bare, conn_dump)
{
	static struct conn conns[MANY + 1];
	static struct pair p[MANY];
	struct rlimit limit = { 4 * MANY, 4 * MANY };
	int listener = pair_listen(IPV4), i, j;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < MANY; i++) {
		p[i].owner = pair_connect(listener);
		p[i].peer = accept(listener, NULL, NULL);
		ASSERT_EQ(0, pair_attach(p[i].owner));
	}
	ASSERT_EQ(MANY, genl_conns(&self->g, conns, MANY + 1));
	for (i = 0; i < MANY; i++) {
		for (j = 0; j < MANY; j++)
			if (describes(&conns[j], p[i].owner, IPV4))
				break;
		ASSERT_GT(MANY, j);
		conns[j].inode = 0;
	}
	for (i = 0; i < MANY; i += 2)
		pair_close(&p[i]);
	EXPECT_EQ(MANY / 2, genl_conns(&self->g, conns, MANY + 1));
	EXPECT_EQ(MANY / 2, counter("connections"));
}

/* What /proc/net shows is what netlink shows. */
TEST_F(bare, stats)
{
	uint64_t stats[__ESPTCP_A_STATS_MAX] = {}, sum = 0, shown = 0;
	struct stream s = {};
	char name[64];
	int lines = 0, i;
	long long v;
	FILE *f;

	ASSERT_EQ(0, pair_attach(self->p.owner));
	add_ike(&s, 100, 1);
	add_esp(&s, 100, 1);
	add_empty(&s);
	add_keepalive(&s);
	add_esp(&s, 4, 1);
	ASSERT_EQ(0, write_stream(self->p.peer, &s));
	ASSERT_EQ(0, counter_reaches("rx-drop-runt", 1));

	ASSERT_EQ(0, genl_stats(&self->g, stats));
	EXPECT_EQ(1, stats[ESPTCP_A_STATS_RX_IKE_FRAMES]);
	EXPECT_EQ(100, stats[ESPTCP_A_STATS_RX_IKE_BYTES]);
	EXPECT_EQ(1, stats[ESPTCP_A_STATS_RX_EMPTY]);
	EXPECT_EQ(1, stats[ESPTCP_A_STATS_RX_KEEPALIVE]);
	EXPECT_EQ(1, stats[ESPTCP_A_STATS_RX_DROP_RUNT]);
	EXPECT_EQ(1, stats[ESPTCP_A_STATS_RX_DROP_UNBOUND]);
	for (i = 1; i <= ESPTCP_A_STATS_MAX; i++)
		sum += stats[i];

	f = fopen("/proc/net/esptcp_stat", "r");
	ASSERT_NE(NULL, f);
	while (fscanf(f, "%63s %lld", name, &v) == 2) {
		lines++;
		shown += v;
	}
	fclose(f);
	/* But for the padding */
	EXPECT_EQ(ESPTCP_A_STATS_MAX - 1, lines);
	EXPECT_EQ(sum, shown);
}

/* Neither connections nor counters are seen from elsewhere. */
TEST_F(bare, other_namespace)
{
	uint64_t stats[__ESPTCP_A_STATS_MAX] = {};
	struct event e;
	struct conn conn;
	struct genl other;
	uint32_t id;
	int i;

	ASSERT_EQ(0, genl_attach(&self->g, self->p.owner, 0, &id));
	ASSERT_EQ(0, write_ike(self->p.peer, 100, 1));
	ASSERT_EQ(0, counter_reaches("rx-ike-frames", 1));
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, genl_open(&other));
	ASSERT_EQ(0, genl_subscribe(&other));
	close_fd(&self->p.peer);
	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	EXPECT_EQ(-ETIMEDOUT, genl_event(&other, &e, 200));
	genl_close(&other);

	ASSERT_EQ(0, genl_open(&other));
	EXPECT_EQ(0, genl_conns(&other, &conn, 1));
	EXPECT_EQ(-ENOENT, genl_conn_by_id(&other, id, &conn));
	EXPECT_EQ(0, genl_stats(&other, stats));
	for (i = 1; i <= ESPTCP_A_STATS_MAX; i++)
		EXPECT_EQ(0, stats[i]);
	EXPECT_EQ(0, counter("connections"));
	EXPECT_EQ(0, counter("rx-ike-frames"));
	genl_close(&other);
}

/* Reading is for everybody, changing is not. */
TEST_F(bare, unprivileged)
{
	uint64_t stats[__ESPTCP_A_STATS_MAX];
	struct binding b = { 1, ESPTCP_DIR_OUT, 0x1000, { { 127, 0, 0, 1 }, 4 } };
	struct conn conn;
	struct genl user;
	uint32_t id;

	ASSERT_EQ(0, pair_attach(self->p.peer));
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	ASSERT_EQ(0, genl_open(&user));
	EXPECT_EQ(-EPERM, genl_attach(&user, self->p.owner, 0, &id));
	EXPECT_EQ(-EPERM, genl_bind(&user, &b));
	EXPECT_EQ(-EPERM, genl_unbind(&user, &b));
	EXPECT_EQ(-EPERM, genl_unbind_all(&user));
	EXPECT_EQ(-EPERM, genl_bindings(&user, &b, 1));
	EXPECT_EQ(1, genl_conns(&user, &conn, 1));
	EXPECT_EQ(0, genl_stats(&user, stats));
	/* Events tell the SPIs and addresses of SAs, as bindings do. */
	EXPECT_EQ(-EPERM, genl_subscribe(&user));
	genl_close(&user);
}

TEST_F(bare, root_of_a_user_namespace)
{
	struct genl g;
	struct pair p;
	uint32_t id;

	if (unshare(CLONE_NEWUSER))
		SKIP(return, "no user namespaces: %s", strerror(errno));
	/* The socket and the netlink socket of before belong elsewhere. */
	ASSERT_EQ(0, genl_open(&g));
	EXPECT_EQ(-EPERM, genl_attach(&g, self->p.owner, 0, &id));
	genl_close(&g);

	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, genl_open(&g));
	ASSERT_EQ(0, pair_open(&p, IPV4));
	EXPECT_EQ(0, genl_attach(&g, p.owner, 0, &id));
	EXPECT_EQ(0, genl_subscribe(&g));
	genl_close(&g);
	pair_close(&p);
}

/* Attach with a framing as framing.h writes it. */
static int attach_as(struct genl *g, int fd, const char *framing, uint32_t *id)
{
	char text[256];

	strncpy(text, framing, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return genl_attach_with(g, fd, 0, framing_parse(text), id);
}

#define FORTIOS		ESPTCP_PROFILE_NAME_FORTIOS
#define ADVANCING	ESPTCP_PROFILE_NAME_ADVANCING
#define FIXED		ESPTCP_POLICY_FIXED
#define SA		ESPTCP_POLICY_SA
#define SNAPSHOT	ESPTCP_POLICY_SNAPSHOT
#define GOING_ON	ESPTCP_POLICY_ADVANCING

/* What is asked for is what is shown, and the rest is the profile's. */
static const struct {
	const char *framing;
	int64_t shown[__ESPTCP_A_PROFILE_MAX];	/* in the order of the spec */
} shown_profiles[] = {
	{ "fortinet", { -1, FORTIOS, 0x10, SA, -1, SA, -1, -1, 0, 0, 1 } },
	{ "fortinet,name=advancing-profile",
	  { -1, ADVANCING, 0x10, GOING_ON, -1, SNAPSHOT, -1, -1, 0, 0, 0 } },
	{ "fortinet,flags=0x18,seq=fixed,seq-value=4294967295,ack=fixed,"
	  "ack-value=7,window=65535,timestamps=1,in-window=0",
	  { -1, FORTIOS, 0x18, FIXED, 4294967295, FIXED, 7, 65535, 0, 1, 0 } },
	{ "fortinet,flags=8,seq=fixed,ack=fixed,window=0,length-prefix=1",
	  { -1, FORTIOS, 8, FIXED, -1, FIXED, -1, 0, 1, 0, 1 } },
	{ "fortinet,name=advancing-profile,seq=snapshot,ack=advancing,in-window=1",
	  { -1, ADVANCING, 0x10, SNAPSHOT, -1, GOING_ON, -1, -1, 0, 0, 1 } },
	{ "fortinet,seq-value=0,seq=fixed,ack=sa",
	  { -1, FORTIOS, 0x10, FIXED, 0, SA, -1, -1, 0, 0, 1 } },
};

TEST_F(bare, profile_is_shown)
{
	struct conn conn;
	struct event e;
	uint32_t id;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shown_profiles); i++) {
		const int64_t *shown = shown_profiles[i].shown;
		struct pair p;

		ASSERT_EQ(0, pair_open(&p, i % 2 ? IPV6 : IPV4));
		ASSERT_EQ(0, attach_as(&self->g, p.owner,
				       shown_profiles[i].framing, &id))
			TH_LOG("%s: %s", shown_profiles[i].framing,
			       self->g.message);
		ASSERT_EQ(0, genl_conn_by_id(&self->g, id, &conn));
		EXPECT_EQ(ESPTCP_FRAMING_FORTINET, conn.framing);
		EXPECT_EQ(0, memcmp(shown, conn.profile, sizeof(conn.profile)))
			TH_LOG("%s", shown_profiles[i].framing);
		ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
		EXPECT_EQ(ESPTCP_CMD_CONN_UP_NTF, e.cmd);
		EXPECT_EQ(0, memcmp(shown, e.conn.profile, sizeof(conn.profile)));
		pair_close(&p);
		ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
		EXPECT_EQ(ESPTCP_CMD_CONN_DOWN_NTF, e.cmd);
	}
}

/* A connection of the other framing has none. */
TEST_F(bare, profile_is_not_shown)
{
	struct conn conn;
	uint32_t id;
	int i;

	ASSERT_EQ(0, genl_attach(&self->g, self->p.owner, 0, &id));
	ASSERT_EQ(0, genl_conn_by_id(&self->g, id, &conn));
	EXPECT_EQ(ESPTCP_FRAMING_RFC9329, conn.framing);
	for (i = 0; i < __ESPTCP_A_PROFILE_MAX; i++)
		EXPECT_EQ(-1, conn.profile[i]);
}

static const struct {
	const char *framing;
	int error;
	const char *message;
} refused_profiles[] = {
	{ "fortinet,flags=0", -EINVAL, "flags are ACK (0x10), PSH (0x08) or both" },
	{ "fortinet,flags=2", -EINVAL, "flags are ACK (0x10), PSH (0x08) or both" },
	{ "fortinet,flags=0x12", -EINVAL, "flags are ACK (0x10), PSH (0x08) or both" },
	{ "fortinet,flags=0x14", -EINVAL, "flags are ACK (0x10), PSH (0x08) or both" },
	{ "fortinet,flags=0x110", -EINVAL, "flags are ACK (0x10), PSH (0x08) or both" },
	{ "fortinet,seq-value=1", -EINVAL, "policy fixed" },
	{ "fortinet,seq=snapshot,seq-value=1", -EINVAL, "policy fixed" },
	{ "fortinet,ack-value=1", -EINVAL, "policy fixed" },
	{ "fortinet,seq=fixed,ack-value=1", -EINVAL, "policy fixed" },
	{ "fortinet,length-prefix=1,timestamps=1", -ENOPROTOOPT, "segments without" },
	{ "fortinet,name=2", -ERANGE, "" },
	{ "fortinet,seq=4", -ERANGE, "" },
	{ "fortinet,ack=4", -ERANGE, "" },
	{ "fortinet,length-prefix=2", -ERANGE, "" },
	{ "fortinet,timestamps=2", -ERANGE, "" },
	{ "fortinet,in-window=2", -ERANGE, "" },
};

TEST_F(bare, profile_is_refused)
{
	struct genl *g = &self->g;
	uint32_t id;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused_profiles); i++) {
		EXPECT_EQ(refused_profiles[i].error,
			  attach_as(g, self->p.owner,
				    refused_profiles[i].framing, &id))
			TH_LOG("%s", refused_profiles[i].framing);
		EXPECT_NE(NULL, strstr(g->message, refused_profiles[i].message))
			TH_LOG("%s: %s", refused_profiles[i].framing, g->message);
	}
	EXPECT_EQ(0, counter("connections"));
	EXPECT_EQ(0, attach_as(g, self->p.owner, "fortinet", &id));
}

TEST_F(bare, profile_is_malformed)
{
	struct attr window[] = { ATTR_U32(ESPTCP_A_PROFILE_WINDOW, 1), {} };
	struct attr unknown[] = { ATTR_U32(__ESPTCP_A_PROFILE_MAX, 1), {} };
	struct attr good[] = { ATTR_U32(ESPTCP_A_PROFILE_NAME, FORTIOS), {} };
	struct genl *g = &self->g;
	int fd = self->p.owner;

	EXPECT_EQ(-EINVAL, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_FRAMING, ESPTCP_FRAMING_RFC9329),
		{ ESPTCP_A_CONN_PROFILE, ATTR_NESTED, good }, {} }));
	EXPECT_NE(NULL, strstr(g->message, "fortinet framing only"))
		TH_LOG("%s", g->message);
	EXPECT_EQ(-EINVAL, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		{ ESPTCP_A_CONN_PROFILE, ATTR_NESTED, good }, {} }));
	EXPECT_GT(0, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_FRAMING, ESPTCP_FRAMING_FORTINET),
		{ ESPTCP_A_CONN_PROFILE, ATTR_NESTED, window }, {} }));
	EXPECT_EQ(-EINVAL, genl_do(g, ESPTCP_CMD_ATTACH, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_FRAMING, ESPTCP_FRAMING_FORTINET),
		{ ESPTCP_A_CONN_PROFILE, ATTR_NESTED, unknown }, {} }));
	EXPECT_EQ(0, counter("connections"));
}

/* The framing of a connection, once its owner knows who the peer is. */
static int set_framing(struct genl *g, uint32_t id, uint32_t framing,
		       uint32_t name)
{
	struct attr profile[] = { ATTR_U32(ESPTCP_A_PROFILE_NAME, name), {} };

	return genl_do(g, ESPTCP_CMD_CONN_SET, (struct attr[]){
		ATTR_U32(ESPTCP_A_CONN_ID, id),
		ATTR_U32(ESPTCP_A_CONN_FRAMING, framing),
		{ framing ? ESPTCP_A_CONN_PROFILE : 0, ATTR_NESTED, profile },
		{} });
}

TEST_F(bare, framing_is_set)
{
	struct genl *g = &self->g;
	struct conn conn;
	uint32_t id;

	ASSERT_EQ(0, genl_attach(g, self->p.owner, 0, &id));
	EXPECT_EQ(-EINVAL, set_framing(g, id, ESPTCP_FRAMING_RFC9329, 0));
	EXPECT_NE(NULL, strstr(g->message, "fortinet framing only"));
	EXPECT_EQ(-ENOENT, set_framing(g, 4711, ESPTCP_FRAMING_FORTINET, FORTIOS));
	EXPECT_EQ(-ERANGE, set_framing(g, id, ESPTCP_FRAMING_FORTINET, 2));
	ASSERT_EQ(0, genl_conn_by_id(g, id, &conn));
	EXPECT_EQ(ESPTCP_FRAMING_RFC9329, conn.framing);

	EXPECT_EQ(0, set_framing(g, id, ESPTCP_FRAMING_FORTINET, ADVANCING));
	ASSERT_EQ(0, genl_conn_by_id(g, id, &conn));
	EXPECT_EQ(ESPTCP_FRAMING_FORTINET, conn.framing);
	EXPECT_EQ(ADVANCING, conn.profile[ESPTCP_A_PROFILE_NAME]);
	EXPECT_EQ(0, set_framing(g, id, ESPTCP_FRAMING_FORTINET, ADVANCING));
	EXPECT_EQ(-EBUSY, set_framing(g, id, ESPTCP_FRAMING_FORTINET, FORTIOS));
	EXPECT_NE(NULL, strstr(g->message, "another profile"));
	EXPECT_EQ(-EINVAL, set_framing(g, id, ESPTCP_FRAMING_RFC9329, 0));
	ASSERT_EQ(0, genl_conn_by_id(g, id, &conn));
	EXPECT_EQ(ADVANCING, conn.profile[ESPTCP_A_PROFILE_NAME]);
}

TEST_F(bare, framing_is_set_too_late)
{
	struct event e;
	uint32_t id;

	ASSERT_EQ(0, genl_attach(&self->g, self->p.owner, 0, &id));
	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	EXPECT_EQ(ESPTCP_CMD_CONN_DOWN_NTF, e.cmd);
	EXPECT_EQ(-ENOTCONN,
		  set_framing(&self->g, id, ESPTCP_FRAMING_FORTINET, FORTIOS));
}

static int write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	return f && fputs(text, f) >= 0 && !fclose(f) ? 0 : -errno;
}

static int bind_spi(struct genl *g, uint32_t id, uint32_t dir, uint32_t spi)
{
	struct binding b = { id, dir, spi, { { 127, 0, 0, 1 }, 4 } };

	return genl_bind(g, &b);
}

/* Only TCP's timestamps tell this SPI from the length of an IKE message. */
TEST_F(bare, ambiguous_spi)
{
	uint32_t with, without, advancing;
	struct genl *g = &self->g;
	struct pair p, p2;

	ASSERT_EQ(0, attach_as(g, self->p.owner, "fortinet", &with));
	ASSERT_EQ(0, write_file("/proc/sys/net/ipv4/tcp_timestamps", "0"));
	ASSERT_EQ(0, pair_open(&p, IPV4));
	ASSERT_EQ(0, pair_open(&p2, IPV4));
	ASSERT_EQ(0, attach_as(g, p.owner, "fortinet", &without));
	ASSERT_EQ(0, attach_as(g, p2.owner, "fortinet,in-window=0", &advancing));

	EXPECT_EQ(-EINVAL, bind_spi(g, without, ESPTCP_DIR_IN, 0x12340000));
	EXPECT_NE(NULL, strstr(g->message, "ends in 0000"))
		TH_LOG("%s", g->message);
	EXPECT_EQ(0, bind_spi(g, without, ESPTCP_DIR_IN, 0x12340001));
	EXPECT_EQ(0, bind_spi(g, without, ESPTCP_DIR_OUT, 0x12340000));
	EXPECT_EQ(0, bind_spi(g, with, ESPTCP_DIR_IN, 0x12340000));
	EXPECT_EQ(-EINVAL, bind_spi(g, advancing, ESPTCP_DIR_IN, 0x12350000));
	EXPECT_EQ(0, genl_unbind_all(g));
	pair_close(&p);
	pair_close(&p2);
}

/* Bindings, of the two ends of a pair. */
FIXTURE(binding) {
	struct genl g, events;
	struct pair p;
	uint32_t first, second;
};

FIXTURE_SETUP(binding)
{
	ASSERT_EQ(0, net_enter());
	ASSERT_EQ(0, genl_open(&self->g));
	ASSERT_EQ(0, genl_open(&self->events));
	ASSERT_EQ(0, pair_open(&self->p, IPV4));
	ASSERT_EQ(0, genl_attach(&self->g, self->p.owner, 0, &self->first));
	ASSERT_EQ(0, genl_attach(&self->g, self->p.peer, 0, &self->second));
	ASSERT_NE(self->first, self->second);
	ASSERT_EQ(0, genl_subscribe(&self->events));
}

FIXTURE_TEARDOWN(binding)
{
	genl_unbind_all(&self->g);
	pair_close(&self->p);
	genl_close(&self->events);
	genl_close(&self->g);
}

static struct binding binding(uint32_t conn_id, uint32_t dir, uint32_t spi)
{
	return (struct binding){ conn_id, dir, spi, { { 127, 0, 0, 1 }, 4 } };
}

static int same(const struct binding *a, const struct binding *b)
{
	return a->conn_id == b->conn_id && a->dir == b->dir &&
	       a->spi == b->spi && a->daddr.len == b->daddr.len &&
	       !memcmp(a->daddr.octets, b->daddr.octets, a->daddr.len);
}

static int bindings_of(struct genl *g, uint32_t id)
{
	struct conn conn;

	return genl_conn_by_id(g, id, &conn) ? -1 : (int)conn.bindings;
}

TEST_F(binding, is_shown)
{
	struct binding b = binding(self->first, ESPTCP_DIR_OUT, 0x12345678);
	struct binding shown[2];

	ASSERT_EQ(0, genl_bind(&self->g, &b));
	ASSERT_EQ(1, genl_bindings(&self->g, shown, 2));
	EXPECT_TRUE(same(&b, &shown[0]));
	EXPECT_EQ(1, bindings_of(&self->g, self->first));
	EXPECT_EQ(0, bindings_of(&self->g, self->second));
	ASSERT_EQ(0, genl_unbind(&self->g, &b));
	EXPECT_EQ(0, genl_bindings(&self->g, shown, 2));
	EXPECT_EQ(0, bindings_of(&self->g, self->first));
}

TEST_F(binding, ipv6)
{
	struct binding b = binding(0, ESPTCP_DIR_OUT, 0x1000), shown;
	struct pair p;

	b.daddr = (struct address){ { [15] = 1 }, 16 };
	ASSERT_EQ(0, pair_open(&p, IPV6));
	ASSERT_EQ(0, genl_attach(&self->g, p.owner, 0, &b.conn_id));
	ASSERT_EQ(0, genl_bind(&self->g, &b));
	ASSERT_EQ(1, genl_bindings(&self->g, &shown, 1));
	EXPECT_TRUE(same(&b, &shown));
	EXPECT_EQ(0, genl_unbind(&self->g, &b));
	pair_close(&p);
}

/* The outer header, which a connection stands for, has its addresses. */
TEST_F(binding, other_family)
{
	struct binding b = binding(self->first, ESPTCP_DIR_OUT, 0x1000), shown;

	b.daddr = (struct address){ { [15] = 1 }, 16 };
	EXPECT_EQ(-EAFNOSUPPORT, genl_bind(&self->g, &b));
	EXPECT_EQ(0, genl_bindings(&self->g, &shown, 1));
}

TEST_F(binding, by_fd)
{
	struct binding b = binding(self->second, ESPTCP_DIR_IN, 0x1000), shown;

	ASSERT_EQ(0, genl_do(&self->g, ESPTCP_CMD_BIND, (struct attr[]){
		ATTR_U32(ESPTCP_A_BINDING_FD, self->p.peer),
		ATTR_U32(ESPTCP_A_BINDING_DIR, b.dir),
		ATTR_U32(ESPTCP_A_BINDING_SPI, htonl(b.spi)),
		ATTR_OCTETS(ESPTCP_A_BINDING_DADDR, b.daddr.octets, 4), {} }));
	ASSERT_EQ(1, genl_bindings(&self->g, &shown, 1));
	EXPECT_TRUE(same(&b, &shown));
}

/* Direction and address are part of what is bound. */
TEST_F(binding, same_spi)
{
	struct binding in = binding(self->first, ESPTCP_DIR_IN, 0x1000);
	struct binding out = binding(self->second, ESPTCP_DIR_OUT, 0x1000);
	struct binding far = binding(self->first, ESPTCP_DIR_OUT, 0x1000);
	struct binding shown[4];

	far.daddr.octets[3] = 2;
	ASSERT_EQ(0, genl_bind(&self->g, &in));
	ASSERT_EQ(0, genl_bind(&self->g, &out));
	ASSERT_EQ(0, genl_bind(&self->g, &far));
	EXPECT_EQ(3, genl_bindings(&self->g, shown, 4));
	EXPECT_EQ(2, bindings_of(&self->g, self->first));
	EXPECT_EQ(1, bindings_of(&self->g, self->second));
	EXPECT_EQ(0, genl_unbind(&self->g, &out));
	EXPECT_EQ(2, genl_bindings(&self->g, shown, 4));
	EXPECT_EQ(-ENOENT, genl_unbind(&self->g, &out));
}

TEST_F(binding, moves)
{
	struct binding b = binding(self->first, ESPTCP_DIR_OUT, 0x1000), shown;
	struct event e;

	ASSERT_EQ(0, genl_bind(&self->g, &b));
	EXPECT_EQ(-ETIMEDOUT, genl_event(&self->events, &e, 100));
	b.conn_id = self->second;
	ASSERT_EQ(0, genl_bind(&self->g, &b));
	ASSERT_EQ(1, genl_bindings(&self->g, &shown, 1));
	EXPECT_TRUE(same(&b, &shown));
	EXPECT_EQ(0, bindings_of(&self->g, self->first));
	EXPECT_EQ(1, bindings_of(&self->g, self->second));
	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	EXPECT_EQ(ESPTCP_CMD_REBIND_NTF, e.cmd);
	EXPECT_TRUE(same(&b, &e.binding));
}

/* To bind again where it is changes nothing, and is no event. */
TEST_F(binding, twice)
{
	struct binding b = binding(self->first, ESPTCP_DIR_OUT, 0x1000), shown;
	struct event e;

	ASSERT_EQ(0, genl_bind(&self->g, &b));
	EXPECT_EQ(0, genl_bind(&self->g, &b));
	EXPECT_EQ(1, genl_bindings(&self->g, &shown, 1));
	EXPECT_EQ(1, bindings_of(&self->g, self->first));
	EXPECT_EQ(-ETIMEDOUT, genl_event(&self->events, &e, 100));
	EXPECT_EQ(0, genl_unbind(&self->g, &b));
	EXPECT_EQ(-ENOENT, genl_unbind(&self->g, &b));
}

TEST_F(binding, outlives_its_connection)
{
	struct binding b = binding(self->first, ESPTCP_DIR_OUT, 0x1000), shown;
	struct pair p;

	ASSERT_EQ(0, genl_bind(&self->g, &b));
	close_fd(&self->p.owner);
	ASSERT_EQ(1, genl_bindings(&self->g, &shown, 1));
	b.conn_id = 0;
	EXPECT_TRUE(same(&b, &shown));

	ASSERT_EQ(0, pair_open(&p, IPV4));
	ASSERT_EQ(0, genl_attach(&self->g, p.owner, 0, &b.conn_id));
	EXPECT_EQ(0, genl_bind(&self->g, &b));
	ASSERT_EQ(1, genl_bindings(&self->g, &shown, 1));
	EXPECT_TRUE(same(&b, &shown));
	pair_close(&p);
}

TEST_F(binding, is_replaced)
{
	struct binding out = binding(self->first, ESPTCP_DIR_OUT, 0x1000);
	struct binding in = binding(self->first, ESPTCP_DIR_IN, 0x2000);
	struct binding other = binding(self->second, ESPTCP_DIR_IN, 0x3000);
	struct binding shown[4];
	struct event e;
	struct pair p;
	uint32_t third;
	int i, moved = 0;

	ASSERT_EQ(0, genl_bind(&self->g, &out));
	ASSERT_EQ(0, genl_bind(&self->g, &in));
	ASSERT_EQ(0, genl_bind(&self->g, &other));
	ASSERT_EQ(0, pair_open(&p, IPV4));
	ASSERT_EQ(0, genl_attach(&self->g, p.owner, self->first, &third));
	EXPECT_EQ(2, bindings_of(&self->g, third));
	EXPECT_EQ(0, bindings_of(&self->g, self->first));
	EXPECT_EQ(1, bindings_of(&self->g, self->second));
	EXPECT_EQ(3, genl_bindings(&self->g, shown, 4));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
		if (e.cmd == ESPTCP_CMD_REBIND_NTF) {
			EXPECT_EQ(third, e.binding.conn_id);
			moved++;
		}
	}
	EXPECT_EQ(2, moved);
	pair_close(&p);
}

/* The SAs' addresses are not those of a connection of the other family. */
TEST_F(binding, is_not_replaced_by_another_family)
{
	struct binding out = binding(self->first, ESPTCP_DIR_OUT, 0x1000);
	struct pair p;
	uint32_t id;

	ASSERT_EQ(0, genl_bind(&self->g, &out));
	ASSERT_EQ(0, pair_open(&p, IPV6));
	EXPECT_EQ(-EAFNOSUPPORT, genl_attach(&self->g, p.owner, self->first, &id));
	EXPECT_EQ(1, bindings_of(&self->g, self->first));
	EXPECT_EQ(2, counter("connections"));
	pair_close(&p);
}

/* An attach that fails leaves the bindings where they are. */
TEST_F(binding, is_not_replaced_in_vain)
{
	struct binding out = binding(self->first, ESPTCP_DIR_OUT, 0x1000);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint32_t id;

	ASSERT_EQ(0, genl_bind(&self->g, &out));
	EXPECT_EQ(-ENOTCONN, genl_attach(&self->g, fd, self->first, &id));
	EXPECT_EQ(1, bindings_of(&self->g, self->first));
}

TEST_F(binding, many)
{
	static struct binding shown[MANY + 1];
	struct binding b;
	int i, j;

	for (i = 0; i < MANY; i++) {
		b = binding(i % 2 ? self->first : self->second,
			    i % 3 ? ESPTCP_DIR_IN : ESPTCP_DIR_OUT, 0x1000 + i);
		ASSERT_EQ(0, genl_bind(&self->g, &b));
	}
	ASSERT_EQ(MANY, genl_bindings(&self->g, shown, MANY + 1));
	for (i = 0; i < MANY; i++) {
		b = binding(i % 2 ? self->first : self->second,
			    i % 3 ? ESPTCP_DIR_IN : ESPTCP_DIR_OUT, 0x1000 + i);
		for (j = 0; j < MANY && !same(&b, &shown[j]); j++)
			continue;
		ASSERT_GT(MANY, j);
	}
	ASSERT_EQ(0, genl_unbind_all(&self->g));
	EXPECT_EQ(0, genl_bindings(&self->g, shown, 1));
	EXPECT_EQ(0, bindings_of(&self->g, self->first));
}

/* One SPI for each of many connections, which knows no other's. */
TEST_F_TIMEOUT(binding, same_spi_in_many_connections, 120)
{
	struct binding b = binding(0, ESPTCP_DIR_IN, 0x1000);
	static struct binding shown[SAME + 1];
	static struct pair pairs[SAME];
	int i;

	for (i = 0; i < SAME; i++) {
		ASSERT_EQ(0, pair_open(&pairs[i], IPV4));
		ASSERT_EQ(0, genl_attach(&self->g, pairs[i].owner, 0, &b.conn_id));
		b.daddr.octets[3] = i;
		ASSERT_EQ(0, genl_bind(&self->g, &b));
	}
	ASSERT_EQ(SAME, genl_bindings(&self->g, shown, SAME + 1));
	/* Every other one is unbound. */
	for (i = 0; i < SAME; i += 2) {
		b.daddr.octets[3] = i;
		ASSERT_EQ(0, genl_unbind(&self->g, &b));
	}
	for (i = 0; i < SAME; i++)
		ASSERT_EQ(0, write_esp(pairs[i].peer, 100, 0x1000));
	EXPECT_EQ(0, counter_reaches("rx-esp-frames", SAME / 2));
	EXPECT_EQ(0, counter_reaches("rx-drop-unbound", SAME / 2));
	for (i = 0; i < SAME; i++)
		pair_close(&pairs[i]);
	EXPECT_EQ(0, genl_unbind_all(&self->g));
}

/* One SPI to each of many addresses, in one connection */
TEST_F(binding, same_spi_to_many_addresses)
{
	struct binding b = binding(self->first, ESPTCP_DIR_OUT, 0x1000);
	static struct binding shown[SAME + 1];
	int i;

	for (i = 0; i < SAME; i++) {
		b.daddr.octets[3] = i;
		ASSERT_EQ(0, genl_bind(&self->g, &b));
	}
	EXPECT_EQ(SAME, bindings_of(&self->g, self->first));
	for (i = 0; i < SAME; i += 2) {
		b.daddr.octets[3] = i;
		ASSERT_EQ(0, genl_unbind(&self->g, &b));
	}
	ASSERT_EQ(SAME / 2, genl_bindings(&self->g, shown, SAME + 1));
	for (i = 0; i < SAME / 2; i++)
		EXPECT_EQ(1, shown[i].daddr.octets[3] % 2);
}

/* An inbound SA that gets another address has both for a while, but not many. */
TEST_F(binding, addresses_of_an_inbound_sa)
{
	struct binding b = binding(0, ESPTCP_DIR_IN, 0x1000);
	struct pair p;
	uint32_t id;
	int i;

	ASSERT_EQ(0, pair_open(&p, IPV4));
	ASSERT_EQ(0, genl_attach(&self->g, p.owner, 0, &id));
	b.conn_id = id;
	for (i = 1; i <= 16; i++) {
		b.daddr.octets[3] = i;
		ASSERT_EQ(0, genl_bind(&self->g, &b));
	}
	b.daddr.octets[3] = i;
	EXPECT_EQ(-ENOSPC, genl_bind(&self->g, &b));
	EXPECT_NE(NULL, strstr(self->g.message, "too many other addresses"));
	/* Another SPI and another connection are not concerned. */
	b.spi++;
	EXPECT_EQ(0, genl_bind(&self->g, &b));
	b.conn_id = self->second;
	b.spi--;
	EXPECT_EQ(0, genl_bind(&self->g, &b));
	/* One that is there cannot join them either. */
	b.conn_id = id;
	EXPECT_EQ(-ENOSPC, genl_bind(&self->g, &b));
	EXPECT_EQ(1, bindings_of(&self->g, self->second));

	for (i = 1; i <= 16; i++) {
		ASSERT_EQ(0, write_esp(p.peer, 100, 0x1000));
		EXPECT_EQ(0, counter_reaches("rx-esp-frames", i));
		b.daddr.octets[3] = i;
		ASSERT_EQ(0, genl_unbind(&self->g, &b));
	}
	ASSERT_EQ(0, write_esp(p.peer, 100, 0x1000));
	EXPECT_EQ(0, counter_reaches("rx-drop-unbound", 1));
	EXPECT_EQ(16, counter("rx-esp-frames"));
	pair_close(&p);
}

TEST_F(binding, unknown_connection)
{
	struct binding b = binding(4711, ESPTCP_DIR_OUT, 0x1000);

	EXPECT_EQ(-ENOENT, genl_bind(&self->g, &b));
	b.conn_id = 0;
	EXPECT_EQ(-ERANGE, genl_bind(&self->g, &b));
}

TEST_F(binding, connection_is_down)
{
	struct binding b = binding(self->first, ESPTCP_DIR_OUT, 0x1000);
	struct event e;

	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	ASSERT_EQ(0, genl_event(&self->events, &e, PATIENCE_MS));
	EXPECT_EQ(ESPTCP_CMD_CONN_DOWN_NTF, e.cmd);
	EXPECT_EQ(-ENOTCONN, genl_bind(&self->g, &b));
}

TEST_F(binding, malformed)
{
	static const uint8_t addr[20];
	static const int bad_lens[] = { 0, 3, 5, 15, 17, 20 };
	uint32_t id = self->first, spi = htonl(0x1000);
	struct genl *g = &self->g;
	struct binding shown;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_lens); i++) {
		int err = genl_do(g, ESPTCP_CMD_BIND, (struct attr[]){
			ATTR_U32(ESPTCP_A_BINDING_CONN_ID, id),
			ATTR_U32(ESPTCP_A_BINDING_DIR, 0),
			ATTR_U32(ESPTCP_A_BINDING_SPI, spi),
			ATTR_OCTETS(ESPTCP_A_BINDING_DADDR, addr, bad_lens[i]),
			{} });

		EXPECT_TRUE(err == -EINVAL || err == -ERANGE)
			TH_LOG("address of %d octets: %d", bad_lens[i], err);
	}
	EXPECT_EQ(-EINVAL, genl_do(g, ESPTCP_CMD_BIND, (struct attr[]){
		ATTR_U32(ESPTCP_A_BINDING_CONN_ID, id),
		ATTR_U32(ESPTCP_A_BINDING_DIR, 0),
		ATTR_U32(ESPTCP_A_BINDING_SPI, 0),
		ATTR_OCTETS(ESPTCP_A_BINDING_DADDR, addr, 4), {} }));
	EXPECT_EQ(-ERANGE, genl_do(g, ESPTCP_CMD_BIND, (struct attr[]){
		ATTR_U32(ESPTCP_A_BINDING_CONN_ID, id),
		ATTR_U32(ESPTCP_A_BINDING_DIR, 2),
		ATTR_U32(ESPTCP_A_BINDING_SPI, spi),
		ATTR_OCTETS(ESPTCP_A_BINDING_DADDR, addr, 4), {} }));
	EXPECT_EQ(0, genl_bindings(g, &shown, 1));
}

/* Each attribute of a binding has to be there. */
TEST_F(binding, incomplete)
{
	struct attr all[] = {
		ATTR_U32(ESPTCP_A_BINDING_CONN_ID, self->first),
		ATTR_U32(ESPTCP_A_BINDING_DIR, 0),
		ATTR_U32(ESPTCP_A_BINDING_SPI, htonl(0x1000)),
		ATTR_OCTETS(ESPTCP_A_BINDING_DADDR, "\x7f\0\0\1", 4),
	};
	size_t missing, i;

	for (missing = 0; missing < ARRAY_SIZE(all); missing++) {
		struct attr some[ARRAY_SIZE(all)] = {};
		int n = 0;

		for (i = 0; i < ARRAY_SIZE(all); i++)
			if (i != missing)
				some[n++] = all[i];
		EXPECT_EQ(-EINVAL, genl_do(&self->g, ESPTCP_CMD_BIND, some));
		if (missing > 0)
			EXPECT_EQ(-EINVAL, genl_do(&self->g, ESPTCP_CMD_UNBIND,
						   some + 1));
	}
	EXPECT_EQ(-EINVAL, genl_do(&self->g, ESPTCP_CMD_UNBIND, NULL));
}

TEST_HARNESS_MAIN
