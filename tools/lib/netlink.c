// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink: sends the requests of the family "esptcp" and decodes the answers.
 * The commands call it; nothing is printed here. One thread, one request at a
 * time, blocking.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/family.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "memory.h"
#include "netlink.h"

/* A dump that connections kept changing under is given up after so many. */
#define DUMP_ATTEMPTS	10

/* The largest of the kernel's error numbers */
#define MAX_ERRNO	4095

/**
 * struct exchange - a request whose answer is being read
 * @genl: the socket
 * @decode: takes one message of the answer, returns 0 or a negative errno
 * @result: handed to @decode
 * @error: the first error, of the kernel or of @decode
 * @done: the kernel has finished
 */
struct exchange {
	struct genl *genl;
	int (*decode)(struct nlmsghdr *message, void *result);
	void *result;
	int error;
	bool done;
};

static struct nla_policy conn_policy[ESPTCP_A_CONN_MAX + 1] = {
	[ESPTCP_A_CONN_ID]		= { .type = NLA_U32 },
	[ESPTCP_A_CONN_FRAMING]		= { .type = NLA_U32 },
	[ESPTCP_A_CONN_STATE]		= { .type = NLA_U32 },
	[ESPTCP_A_CONN_REASON]		= { .type = NLA_U32 },
	[ESPTCP_A_CONN_LOCAL_ADDR]	= { .minlen = 4, .maxlen = 16 },
	[ESPTCP_A_CONN_REMOTE_ADDR]	= { .minlen = 4, .maxlen = 16 },
	[ESPTCP_A_CONN_LOCAL_PORT]	= { .type = NLA_U16 },
	[ESPTCP_A_CONN_REMOTE_PORT]	= { .type = NLA_U16 },
	[ESPTCP_A_CONN_INODE]		= { .type = NLA_U64 },
	[ESPTCP_A_CONN_AGE]		= { .type = NLA_U64 },
	[ESPTCP_A_CONN_TX_QUEUE]	= { .type = NLA_U32 },
	[ESPTCP_A_CONN_IKE_RX_QUEUE]	= { .type = NLA_U32 },
	[ESPTCP_A_CONN_BINDINGS]	= { .type = NLA_U32 },
	[ESPTCP_A_CONN_STATS]		= { .type = NLA_NESTED },
	[ESPTCP_A_CONN_ROLE]		= { .type = NLA_U32 },
	[ESPTCP_A_CONN_ERROR]		= { .type = NLA_U32 },
};

static struct nla_policy binding_policy[ESPTCP_A_BINDING_MAX + 1] = {
	[ESPTCP_A_BINDING_CONN_ID]	= { .type = NLA_U32 },
	[ESPTCP_A_BINDING_DIR]		= { .type = NLA_U32 },
	[ESPTCP_A_BINDING_SPI]		= { .type = NLA_U32 },
	[ESPTCP_A_BINDING_DADDR]	= { .minlen = 4, .maxlen = 16 },
};

/* Attributes that an answer lacks read as zero. */

static __u16 get_port(const struct nlattr *attr)
{
	return attr ? ntohs(nla_get_u16(attr)) : 0;
}

static __u32 get_u32(const struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static __u64 get_u64(const struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static void get_address(const struct nlattr *attr, struct address *address)
{
	if (attr)
		address->len = nla_memcpy(address->octets, attr,
					  sizeof(address->octets));
}

static void get_counters(struct nlattr *nest, struct counters *counters)
{
	struct nlattr *attr;
	int rest;

	if (!nest)
		return;

	nla_for_each_nested(attr, nest, rest) {
		if (nla_type(attr) <= ESPTCP_A_STATS_MAX &&
		    nla_len(attr) == sizeof(__u64))
			counters->value[nla_type(attr)] = nla_get_u64(attr);
	}
}

static int parse_conn(struct nlmsghdr *message, struct conn *conn)
{
	struct nlattr *attr[ESPTCP_A_CONN_MAX + 1];

	if (genlmsg_parse(message, 0, attr, ESPTCP_A_CONN_MAX, conn_policy))
		return -EBADMSG;

	memset(conn, 0, sizeof(*conn));
	conn->id = get_u32(attr[ESPTCP_A_CONN_ID]);
	framing_get(&conn->framing, get_u32(attr[ESPTCP_A_CONN_FRAMING]),
		    attr[ESPTCP_A_CONN_PROFILE]);
	conn->state = get_u32(attr[ESPTCP_A_CONN_STATE]);
	conn->reason = get_u32(attr[ESPTCP_A_CONN_REASON]);
	get_address(attr[ESPTCP_A_CONN_LOCAL_ADDR], &conn->local);
	get_address(attr[ESPTCP_A_CONN_REMOTE_ADDR], &conn->remote);
	conn->local_port = get_port(attr[ESPTCP_A_CONN_LOCAL_PORT]);
	conn->remote_port = get_port(attr[ESPTCP_A_CONN_REMOTE_PORT]);
	conn->inode = get_u64(attr[ESPTCP_A_CONN_INODE]);
	conn->age = get_u64(attr[ESPTCP_A_CONN_AGE]);
	conn->tx_queue = get_u32(attr[ESPTCP_A_CONN_TX_QUEUE]);
	conn->ike_rx_queue = get_u32(attr[ESPTCP_A_CONN_IKE_RX_QUEUE]);
	conn->bindings = get_u32(attr[ESPTCP_A_CONN_BINDINGS]);
	conn->role = get_u32(attr[ESPTCP_A_CONN_ROLE]);
	conn->error = get_u32(attr[ESPTCP_A_CONN_ERROR]);
	get_counters(attr[ESPTCP_A_CONN_STATS], &conn->counters);

	return 0;
}

static int parse_binding(struct nlmsghdr *message, struct binding *binding)
{
	struct nlattr *attr[ESPTCP_A_BINDING_MAX + 1];

	if (genlmsg_parse(message, 0, attr, ESPTCP_A_BINDING_MAX,
			  binding_policy))
		return -EBADMSG;

	memset(binding, 0, sizeof(*binding));
	binding->conn_id = get_u32(attr[ESPTCP_A_BINDING_CONN_ID]);
	binding->dir = get_u32(attr[ESPTCP_A_BINDING_DIR]);
	binding->spi = ntohl(get_u32(attr[ESPTCP_A_BINDING_SPI]));
	get_address(attr[ESPTCP_A_BINDING_DADDR], &binding->daddr);

	return 0;
}

static void copy_message(struct genl *genl, const struct nlattr *head, int len)
{
	const struct nlattr *attr = nla_find(head, len, NLMSGERR_ATTR_MSG);

	if (attr)
		nla_strlcpy(genl->message, attr, sizeof(genl->message));
}

/* What an answer says is an error is an errno or 0. */
static int errno_of(int error)
{
	return error > 0 || error < -MAX_ERRNO ? -EBADMSG : error;
}

/* The kernel's words follow the error and, unless it was left out, the
 * request's payload.
 */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct nlmsghdr *message = (void *)((char *)error - NLMSG_HDRLEN);
	struct exchange *exchange = arg;
	size_t skip = sizeof(*error);

	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (message->nlmsg_flags & NLM_F_ACK_TLVS &&
	    skip < (size_t)nlmsg_datalen(message))
		copy_message(exchange->genl, nlmsg_attrdata(message, skip),
			     nlmsg_attrlen(message, skip));

	exchange->error = errno_of(error->error);
	exchange->done = true;

	return NL_STOP;
}

/* The end of a dump carries the error that a dump ends with. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *message = nlmsg_hdr(msg);
	struct exchange *exchange = arg;
	int error = 0;

	if (nlmsg_datalen(message) >= (int)sizeof(error))
		memcpy(&error, nlmsg_data(message), sizeof(error));
	if (error) {
		exchange->error = errno_of(error);
		copy_message(exchange->genl,
			     nlmsg_attrdata(message, sizeof(error)),
			     nlmsg_attrlen(message, sizeof(error)));
	}
	exchange->done = true;

	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;

	exchange->done = true;

	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;

	if (exchange->decode && !exchange->error)
		exchange->error = exchange->decode(nlmsg_hdr(msg),
						   exchange->result);

	return NL_OK;
}

/* libnl's error numbers are not errno's; keep its words instead. */
static int libnl_error(struct genl *genl, int error)
{
	if (error == -NLE_DUMP_INTR)
		return -EINTR;

	snprintf(genl->message, sizeof(genl->message), "%s",
		 nl_geterror(error));

	return -EIO;
}

static int receive_answer(struct exchange *exchange)
{
	struct nl_cb *cb = memory_check(nl_cb_alloc(NL_CB_DEFAULT));
	int err = 0;

	nl_cb_err(cb, NL_CB_CUSTOM, on_error, exchange);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, exchange);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, exchange);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, exchange);

	while (!exchange->done && err >= 0)
		err = nl_recvmsgs(exchange->genl->sock, cb);
	nl_cb_put(cb);

	if (exchange->error)
		return exchange->error;

	return err < 0 ? libnl_error(exchange->genl, err) : 0;
}

/* A request has room for a page, and is never that long. */
static struct nl_msg *request_new(struct genl *genl, __u8 command, int flags)
{
	struct nl_msg *msg = memory_check(nlmsg_alloc());

	memory_check(genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, genl->family,
				 0, flags, command, ESPTCP_FAMILY_VERSION));

	return msg;
}

static void put_u32(struct nl_msg *msg, int type, __u32 value)
{
	memory_check(nla_put_u32(msg, type, value) ? NULL : msg);
}

/* Send a request, which is freed, and take its whole answer. */
static int request(struct genl *genl, struct nl_msg *msg,
		   int (*decode)(struct nlmsghdr *message, void *result),
		   void *result)
{
	struct exchange exchange = {
		.genl = genl,
		.decode = decode,
		.result = result,
	};
	int err;

	genl->message[0] = '\0';
	err = nl_send_auto(genl->sock, msg);
	nlmsg_free(msg);
	if (err < 0)
		return libnl_error(genl, err);

	return receive_answer(&exchange);
}

/* The kernel loads the module of a family that it is asked for by name; asked
 * for a list of all, it does not.
 */
static int find_family(struct genl *genl)
{
	struct genl_family *family;
	struct nl_cache *families;
	int err;

	err = genl_ctrl_alloc_cache(genl->sock, &families);
	if (err < 0)
		return libnl_error(genl, err);

	family = genl_ctrl_search_by_name(families, ESPTCP_FAMILY_NAME);
	/* no command of the family answers with this error */
	genl->family = family ? (int)genl_family_get_id(family) : -ENOPKG;
	if (family)
		genl_family_put(family);
	nl_cache_free(families);

	return genl->family < 0 ? genl->family : 0;
}

static int load_family(struct genl *genl)
{
	genl->family = genl_ctrl_resolve(genl->sock, ESPTCP_FAMILY_NAME);

	return genl->family < 0 ? -ENOPKG : 0;
}

static int open_with(struct genl *genl, int (*find)(struct genl *genl))
{
	int on = 1;
	int err;

	memset(genl, 0, sizeof(*genl));
	genl->sock = memory_check(nl_socket_alloc());
	err = genl_connect(genl->sock);
	if (err < 0) {
		err = libnl_error(genl, err);
		goto free_socket;
	}

	setsockopt(nl_socket_get_fd(genl->sock), SOL_NETLINK, NETLINK_EXT_ACK,
		   &on, sizeof(on));
	err = find(genl);
	if (!err)
		return 0;

free_socket:
	nl_socket_free(genl->sock);
	return err;
}

int genl_open(struct genl *genl)
{
	return open_with(genl, find_family);
}

int genl_open_loading(struct genl *genl)
{
	return open_with(genl, load_family);
}

void genl_close(struct genl *genl)
{
	nl_socket_free(genl->sock);
}

static int decode_id(struct nlmsghdr *message, void *result)
{
	__u32 *id = result;
	struct conn conn;
	int err;

	err = parse_conn(message, &conn);
	if (!err)
		*id = conn.id;

	return err;
}

int conn_attach(struct genl *genl, __u32 fd, __u32 role, __u32 replaces,
		const struct framing *framing, __u32 *id)
{
	struct nl_msg *msg = request_new(genl, ESPTCP_CMD_ATTACH, 0);

	put_u32(msg, ESPTCP_A_CONN_FD, fd);
	put_u32(msg, ESPTCP_A_CONN_ROLE, role);
	memory_check(framing_put(msg, framing) ? NULL : msg);
	if (replaces)
		put_u32(msg, ESPTCP_A_CONN_REPLACES, replaces);

	return request(genl, msg, decode_id, id);
}

int conn_set(struct genl *genl, __u32 id, const struct framing *framing)
{
	struct nl_msg *msg = request_new(genl, ESPTCP_CMD_CONN_SET, 0);

	put_u32(msg, ESPTCP_A_CONN_ID, id);
	memory_check(framing_put(msg, framing) ? NULL : msg);

	return request(genl, msg, NULL, NULL);
}

static int decode_conn(struct nlmsghdr *message, void *result)
{
	struct conn_list *list = result;
	int err;

	list->item = memory_grow(list->item, list->count, 1,
				 sizeof(*list->item));
	err = parse_conn(message, &list->item[list->count]);
	list->count += !err;

	return err;
}

static int decode_binding(struct nlmsghdr *message, void *result)
{
	struct binding_list *list = result;
	int err;

	list->item = memory_grow(list->item, list->count, 1,
				 sizeof(*list->item));
	err = parse_binding(message, &list->item[list->count]);
	list->count += !err;

	return err;
}

/* A dump that something changed under is begun anew, with an empty list. */
static int dump(struct genl *genl, __u8 command, size_t *count,
		int (*decode)(struct nlmsghdr *message, void *result),
		void *list)
{
	int attempt, err = -EINTR;

	for (attempt = 0; attempt < DUMP_ATTEMPTS && err == -EINTR; attempt++) {
		*count = 0;
		err = request(genl, request_new(genl, command, NLM_F_DUMP),
			      decode, list);
	}

	return err;
}

int conn_dump(struct genl *genl, struct conn_list *list)
{
	return dump(genl, ESPTCP_CMD_CONN_GET, &list->count, decode_conn, list);
}

int binding_dump(struct genl *genl, struct binding_list *list)
{
	return dump(genl, ESPTCP_CMD_BINDING_GET, &list->count, decode_binding,
		    list);
}

/* Send a request about one SA, with the attribute that the caller adds. */
static int binding_request(struct genl *genl, __u8 command,
			   const struct binding *binding, int type,
			   __u32 value)
{
	const struct address *daddr = &binding->daddr;
	struct nl_msg *msg = request_new(genl, command, 0);

	put_u32(msg, ESPTCP_A_BINDING_DIR, binding->dir);
	put_u32(msg, ESPTCP_A_BINDING_SPI, htonl(binding->spi));
	memory_check(nla_put(msg, ESPTCP_A_BINDING_DADDR, daddr->len,
			     daddr->octets) ? NULL : msg);
	if (type)
		put_u32(msg, type, value);

	return request(genl, msg, NULL, NULL);
}

int binding_set(struct genl *genl, const struct binding *binding)
{
	return binding_request(genl, ESPTCP_CMD_BIND, binding,
			       ESPTCP_A_BINDING_CONN_ID, binding->conn_id);
}

int binding_set_by_fd(struct genl *genl, const struct binding *binding,
		      __u32 fd)
{
	return binding_request(genl, ESPTCP_CMD_BIND, binding,
			       ESPTCP_A_BINDING_FD, fd);
}

int binding_delete(struct genl *genl, const struct binding *binding)
{
	return binding_request(genl, ESPTCP_CMD_UNBIND, binding, 0, 0);
}

int binding_delete_all(struct genl *genl)
{
	struct nl_msg *msg = request_new(genl, ESPTCP_CMD_UNBIND, 0);

	memory_check(nla_put_flag(msg, ESPTCP_A_BINDING_ALL) ? NULL : msg);

	return request(genl, msg, NULL, NULL);
}

static int decode_counters(struct nlmsghdr *message, void *result)
{
	struct counters *counters = result;
	struct conn conn;
	int err;

	err = parse_conn(message, &conn);
	if (!err)
		*counters = conn.counters;

	return err;
}

int counters_get(struct genl *genl, struct counters *counters)
{
	return request(genl, request_new(genl, ESPTCP_CMD_STATS_GET, 0),
		       decode_counters, counters);
}

int events_subscribe(struct genl *genl)
{
	int group;
	int err;

	group = genl_ctrl_resolve_grp(genl->sock, ESPTCP_FAMILY_NAME,
				      ESPTCP_MCGRP_EVENTS);
	if (group < 0)
		return libnl_error(genl, group);

	err = nl_socket_add_membership(genl->sock, group);
	if (err == -NLE_PERM)
		return -EPERM;
	if (err < 0)
		return libnl_error(genl, err);

	/* events bear no number of a request */
	nl_socket_disable_seq_check(genl->sock);

	return 0;
}

static int on_event(struct nl_msg *msg, void *arg)
{
	void (**handle)(const struct event *event) = arg;
	struct nlmsghdr *message = nlmsg_hdr(msg);
	struct event event;
	int err;

	if (!genlmsg_valid_hdr(message, 0))
		return NL_SKIP;
	event.command = genlmsg_hdr(message)->cmd;
	switch (event.command) {
	case ESPTCP_CMD_CONN_UP_NTF:
	case ESPTCP_CMD_CONN_DOWN_NTF:
		err = parse_conn(message, &event.conn);
		break;
	case ESPTCP_CMD_REBIND_NTF:
		err = parse_binding(message, &event.binding);
		break;
	default:
		return NL_SKIP;
	}
	if (!err)
		(*handle)(&event);

	return NL_OK;
}

/* Wait for events and hand each over; -ENOBUFS says that some were lost. */
int events_receive(struct genl *genl, void (*handle)(const struct event *event))
{
	int err;

	nl_socket_modify_cb(genl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event,
			    &handle);
	err = nl_recvmsgs_default(genl->sock);
	if (err == -NLE_NOMEM)
		return -ENOBUFS;

	return err < 0 ? libnl_error(genl, err) : 0;
}
