// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "genl.h"

/* The answer to a request: what becomes of each message, and how it ended. */
struct answer {
	void (*each)(struct nlattr **attrs, struct answer *answer);
	void *result;
	int max, count;
	int error, done;
	char *message;
};

int genl_open(struct genl *g)
{
	int on = 1;

	g->sk = nl_socket_alloc();
	if (!g->sk || genl_connect(g->sk))
		return -ENOMEM;
	setsockopt(nl_socket_get_fd(g->sk), SOL_NETLINK, NETLINK_EXT_ACK, &on,
		   sizeof(on));
	g->family = genl_ctrl_resolve(g->sk, ESPTCP_FAMILY_NAME);
	g->group = genl_ctrl_resolve_grp(g->sk, ESPTCP_FAMILY_NAME,
					 ESPTCP_MCGRP_EVENTS);
	nl_socket_disable_auto_ack(g->sk);
	return g->family < 0 || g->group < 0 ? -ENOENT : 0;
}

void genl_close(struct genl *g)
{
	nl_socket_free(g->sk);
	g->sk = NULL;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[__ESPTCP_A_CONN_MAX];
	struct answer *answer = arg;

	genlmsg_parse(nlmsg_hdr(msg), 0, attrs, ESPTCP_A_CONN_MAX, NULL);
	if (answer->each)
		answer->each(attrs, answer);
	answer->count++;
	return NL_OK;
}

static int on_done(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;

	(void)msg;
	answer->done = 1;
	return NL_STOP;
}

/* The text behind an error, which may quote the request. */
static void get_message(struct nlmsgerr *err, char *message, size_t size)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)err - 1;
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	int skip = sizeof(*err);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	if (!nlmsg_parse(nlh, skip, attrs, NLMSGERR_ATTR_MAX, NULL) &&
	    attrs[NLMSGERR_ATTR_MSG])
		nla_strlcpy(message, attrs[NLMSGERR_ATTR_MSG], size);
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct answer *answer = arg;

	(void)from;
	answer->error = err->error;
	get_message(err, answer->message, sizeof(((struct genl *)0)->message));
	answer->done = 1;
	return NL_STOP;
}

static int receive(struct genl *g, struct answer *answer)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, answer);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_done, answer);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_done, answer);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, answer);
	while (!answer->done) {
		err = nl_recvmsgs(g->sk, cb);
		if (err < 0 && !answer->done) {
			answer->error = -EIO;
			break;
		}
	}
	nl_cb_put(cb);
	return answer->error;
}

static void put_attrs(struct nl_msg *msg, const struct attr *attrs)
{
	struct nlattr *nest;

	for (; attrs && attrs->type; attrs++) {
		if (attrs->len != ATTR_NESTED) {
			nla_put(msg, attrs->type, attrs->len, attrs->data);
			continue;
		}
		nest = nla_nest_start(msg, attrs->type);
		put_attrs(msg, attrs->data);
		nla_nest_end(msg, nest);
	}
}

static int request(struct genl *g, int cmd, int flags, const struct attr *attrs,
		   struct answer *answer)
{
	struct nl_msg *msg = nlmsg_alloc();
	int err;

	if (!msg)
		return -ENOMEM;
	answer->message = g->message;
	g->message[0] = '\0';
	genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, g->family, 0, flags, cmd,
		    ESPTCP_FAMILY_VERSION);
	put_attrs(msg, attrs);
	err = nl_send_auto(g->sk, msg);
	nlmsg_free(msg);
	return err < 0 ? -EIO : receive(g, answer);
}

/* A command of which only the success matters. */
int genl_do(struct genl *g, int cmd, const struct attr *attrs)
{
	struct answer answer = { 0 };

	return request(g, cmd, NLM_F_ACK, attrs, &answer);
}

static uint32_t get_u32(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static uint64_t get_u64(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static void get_address(struct nlattr *attr, struct address *address)
{
	if (!attr || nla_len(attr) > (int)sizeof(address->octets))
		return;
	address->len = nla_len(attr);
	memcpy(address->octets, nla_data(attr), address->len);
}

static void get_stats(struct nlattr *nest, uint64_t *stats)
{
	struct nlattr *attrs[__ESPTCP_A_STATS_MAX];
	int i;

	if (!nest || nla_parse_nested(attrs, ESPTCP_A_STATS_MAX, nest, NULL))
		return;
	for (i = 1; i <= ESPTCP_A_STATS_MAX; i++)
		if (i != ESPTCP_A_STATS_PAD)
			stats[i] = get_u64(attrs[i]);
}

static void get_profile(struct nlattr *nest, int64_t *profile)
{
	struct nlattr *attrs[__ESPTCP_A_PROFILE_MAX];
	int i;

	memset(profile, -1, __ESPTCP_A_PROFILE_MAX * sizeof(*profile));
	if (!nest || nla_parse_nested(attrs, ESPTCP_A_PROFILE_MAX, nest, NULL))
		return;
	for (i = 1; i < __ESPTCP_A_PROFILE_MAX; i++)
		if (attrs[i])
			profile[i] = nla_len(attrs[i]) == 2 ?
				     nla_get_u16(attrs[i]) : nla_get_u32(attrs[i]);
}

static void get_conn(struct nlattr **attrs, struct conn *conn)
{
	memset(conn, 0, sizeof(*conn));
	conn->id = get_u32(attrs[ESPTCP_A_CONN_ID]);
	conn->framing = get_u32(attrs[ESPTCP_A_CONN_FRAMING]);
	conn->state = get_u32(attrs[ESPTCP_A_CONN_STATE]);
	conn->reason = get_u32(attrs[ESPTCP_A_CONN_REASON]);
	conn->tx_queue = get_u32(attrs[ESPTCP_A_CONN_TX_QUEUE]);
	conn->ike_rx_queue = get_u32(attrs[ESPTCP_A_CONN_IKE_RX_QUEUE]);
	conn->bindings = get_u32(attrs[ESPTCP_A_CONN_BINDINGS]);
	conn->inode = get_u64(attrs[ESPTCP_A_CONN_INODE]);
	conn->age = get_u64(attrs[ESPTCP_A_CONN_AGE]);
	if (attrs[ESPTCP_A_CONN_LOCAL_PORT])
		conn->local_port = ntohs(nla_get_u16(attrs[ESPTCP_A_CONN_LOCAL_PORT]));
	if (attrs[ESPTCP_A_CONN_REMOTE_PORT])
		conn->remote_port = ntohs(nla_get_u16(attrs[ESPTCP_A_CONN_REMOTE_PORT]));
	get_address(attrs[ESPTCP_A_CONN_LOCAL_ADDR], &conn->local);
	get_address(attrs[ESPTCP_A_CONN_REMOTE_ADDR], &conn->remote);
	get_stats(attrs[ESPTCP_A_CONN_STATS], conn->stats);
	get_profile(attrs[ESPTCP_A_CONN_PROFILE], conn->profile);
}

static void get_binding(struct nlattr **attrs, struct binding *b)
{
	memset(b, 0, sizeof(*b));
	b->conn_id = get_u32(attrs[ESPTCP_A_BINDING_CONN_ID]);
	b->dir = get_u32(attrs[ESPTCP_A_BINDING_DIR]);
	b->spi = ntohl(get_u32(attrs[ESPTCP_A_BINDING_SPI]));
	get_address(attrs[ESPTCP_A_BINDING_DADDR], &b->daddr);
}

static void each_id(struct nlattr **attrs, struct answer *answer)
{
	*(uint32_t *)answer->result = get_u32(attrs[ESPTCP_A_CONN_ID]);
}

static void each_conn(struct nlattr **attrs, struct answer *answer)
{
	if (answer->count < answer->max)
		get_conn(attrs, (struct conn *)answer->result + answer->count);
}

static void each_binding(struct nlattr **attrs, struct answer *answer)
{
	if (answer->count < answer->max)
		get_binding(attrs,
			    (struct binding *)answer->result + answer->count);
}

static void each_stats(struct nlattr **attrs, struct answer *answer)
{
	get_stats(attrs[ESPTCP_A_CONN_STATS], answer->result);
}

#define MAX_ATTACH_ATTRS	8

/* replaces 0: none */
int genl_attach_with(struct genl *g, int fd, uint32_t replaces,
		     const struct attr *more, uint32_t *id)
{
	struct answer answer = { .each = each_id, .result = id };
	struct attr attrs[MAX_ATTACH_ATTRS] = {
		ATTR_U32(ESPTCP_A_CONN_FD, fd),
		ATTR_U32(ESPTCP_A_CONN_REPLACES, replaces),
	};
	int n = replaces ? 2 : 1;

	for (; more && more->type && n < MAX_ATTACH_ATTRS - 1; more++)
		attrs[n++] = *more;
	attrs[n].type = 0;
	return request(g, ESPTCP_CMD_ATTACH, NLM_F_ACK, attrs, &answer);
}

int genl_attach(struct genl *g, int fd, uint32_t replaces, uint32_t *id)
{
	return genl_attach_with(g, fd, replaces, NULL, id);
}

static int conn_by(struct genl *g, const struct attr *attrs, struct conn *conn)
{
	struct answer answer = { .each = each_conn, .result = conn, .max = 1 };

	return request(g, ESPTCP_CMD_CONN_GET, NLM_F_ACK, attrs, &answer);
}

int genl_conn_by_id(struct genl *g, uint32_t id, struct conn *conn)
{
	struct attr attrs[] = { ATTR_U32(ESPTCP_A_CONN_ID, id), { 0 } };

	return conn_by(g, attrs, conn);
}

int genl_conn_by_fd(struct genl *g, int fd, struct conn *conn)
{
	struct attr attrs[] = { ATTR_U32(ESPTCP_A_CONN_FD, fd), { 0 } };

	return conn_by(g, attrs, conn);
}

int genl_stats(struct genl *g, uint64_t *stats)
{
	struct answer answer = { .each = each_stats, .result = stats };

	return request(g, ESPTCP_CMD_STATS_GET, NLM_F_ACK, NULL, &answer);
}

int genl_bind(struct genl *g, const struct binding *b)
{
	struct attr attrs[] = {
		ATTR_U32(ESPTCP_A_BINDING_CONN_ID, b->conn_id),
		ATTR_U32(ESPTCP_A_BINDING_DIR, b->dir),
		ATTR_U32(ESPTCP_A_BINDING_SPI, htonl(b->spi)),
		ATTR_OCTETS(ESPTCP_A_BINDING_DADDR, b->daddr.octets, b->daddr.len),
		{ 0 },
	};

	return genl_do(g, ESPTCP_CMD_BIND, attrs);
}

int genl_unbind(struct genl *g, const struct binding *b)
{
	struct attr attrs[] = {
		ATTR_U32(ESPTCP_A_BINDING_DIR, b->dir),
		ATTR_U32(ESPTCP_A_BINDING_SPI, htonl(b->spi)),
		ATTR_OCTETS(ESPTCP_A_BINDING_DADDR, b->daddr.octets, b->daddr.len),
		{ 0 },
	};

	return genl_do(g, ESPTCP_CMD_UNBIND, attrs);
}

int genl_unbind_all(struct genl *g)
{
	struct attr attrs[] = { ATTR_FLAG(ESPTCP_A_BINDING_ALL), { 0 } };

	return genl_do(g, ESPTCP_CMD_UNBIND, attrs);
}

int genl_conns(struct genl *g, struct conn *conns, int max)
{
	struct answer answer = { .each = each_conn, .result = conns, .max = max };
	int err = request(g, ESPTCP_CMD_CONN_GET, NLM_F_DUMP, NULL, &answer);

	return err ? err : answer.count;
}

int genl_bindings(struct genl *g, struct binding *bindings, int max)
{
	struct answer answer = {
		.each = each_binding, .result = bindings, .max = max,
	};
	int err = request(g, ESPTCP_CMD_BINDING_GET, NLM_F_DUMP, NULL, &answer);

	return err ? err : answer.count;
}

int genl_subscribe(struct genl *g)
{
	nl_socket_disable_seq_check(g->sk);
	switch (nl_socket_add_membership(g->sk, g->group)) {
	case 0:
		return 0;
	case -NLE_PERM:
		return -EPERM;
	default:
		return -EIO;
	}
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[__ESPTCP_A_CONN_MAX];
	struct event *event = arg;

	event->cmd = genlmsg_hdr(nlmsg_hdr(msg))->cmd;
	genlmsg_parse(nlmsg_hdr(msg), 0, attrs, ESPTCP_A_CONN_MAX, NULL);
	if (event->cmd == ESPTCP_CMD_REBIND_NTF)
		get_binding(attrs, &event->binding);
	else
		get_conn(attrs, &event->conn);
	return NL_OK;
}

/* The next event, or -ETIMEDOUT. */
int genl_event(struct genl *g, struct event *event, int ms)
{
	struct pollfd pfd = { .fd = nl_socket_get_fd(g->sk), .events = POLLIN };
	struct nl_cb *cb;
	int err;

	memset(event, 0, sizeof(*event));
	if (poll(&pfd, 1, ms) != 1)
		return -ETIMEDOUT;
	cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_event, event);
	err = nl_recvmsgs(g->sk, cb);
	nl_cb_put(cb);
	return err < 0 ? -EIO : 0;
}
