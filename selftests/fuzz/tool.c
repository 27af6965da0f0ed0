// SPDX-License-Identifier: GPL-2.0
/*
 * The command esptcp, linked with this file. It is two fuzzers, by the name of
 * the program:
 *
 *	capture	the input is a file, which "esptcp capture" reads
 *	answers	the first octet of the input chooses a command, which asks the
 *		kernel and charon; behind it are their answers, in the order
 *		in which they are asked for, each behind its length in two
 *		octets, the higher one first
 *
 * The netlink sockets are real, but what is sent there gets the next answer of
 * the input. Questions about families are not left to chance. The command loads
 * the program itself in place of libvici, whose functions are below; an answer
 * has charon's format (README.md of strongSwan's vici plugin), and a series of
 * events ends with an empty one.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/esptcp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "fuzz.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_ARGS	4
#define MAX_ANSWER	65536

/* A number that no real family has, and a group that nobody sends to */
#define FAMILY		0x7f
#define GROUP		31

/* The command's main() */
int esptcp_main(int argc, char **argv);

/* The program stands in for libvici; see symbols in tools/lib/vici.c. */
struct settings;
struct vici_conn;
struct vici_req;
struct vici_res;

typedef int (*vici_value_fn)(void *user, struct vici_res *res, char *name,
			     void *value, int len);
typedef int (*vici_section_fn)(void *user, struct vici_res *res, char *name);
typedef void (*vici_event_fn)(void *user, char *name, struct vici_res *res);

void dbg_default_set_level(int level);
void dbg_default_set_stream(FILE *stream);
void vici_init(void);
void vici_deinit(void);
struct vici_conn *vici_connect(char *uri);
void vici_disconnect(struct vici_conn *conn);
struct vici_req *vici_begin(const char *command);
struct vici_res *vici_submit(struct vici_req *req, struct vici_conn *conn);
int vici_parse_cb(struct vici_res *res, vici_section_fn section,
		  vici_value_fn key, vici_value_fn item, void *user);
void vici_free_res(struct vici_res *res);
int vici_register(struct vici_conn *conn, const char *name,
		  vici_event_fn event, void *user);
struct settings *settings_create(const char *file);

static const struct command {
	const char *word[MAX_ARGS];
	bool asks_charon;
} commands[] = {
	{ .word = { "show" } },
	{ .word = { "show", "--json" } },
	{ .word = { "show", "--brief" } },
	{ .word = { "dump" } },
	{ .word = { "stat", "--json" } },
	{ .word = { "drops" } },
	{ .word = { "metrics" } },
	{ .word = { "sockets" } },
	{ .word = { "monitor" } },
	{ .word = { "monitor", "--json" } },
	{ .word = { "gateways" }, .asks_charon = true },
	{ .word = { "gateways", "--json" }, .asks_charon = true },
	{ .word = { "tunnels" }, .asks_charon = true },
	{ .word = { "tunnels", "--json" }, .asks_charon = true },
	{ .word = { "unbind", "all" } },
	{ .word = { "set", "1", "framing", "rfc9329" } },
};

static struct {
	const uint8_t *at;
	size_t left;
} input;

static struct nlmsghdr question;	/* the last one to the kernel */
static int waiting = -1;	/* octets of an answer that was only looked at */
static bool asked_charon;
static bool is_capture;

static int run(const struct command *command)
{
	char *args[MAX_ARGS + 2] = { "esptcp" };
	int argc = 1;

	while (argc <= MAX_ARGS && command->word[argc - 1]) {
		args[argc] = (char *)command->word[argc - 1];
		argc++;
	}

	return esptcp_main(argc, args);
}

/* Return: the octets of the next answer, or -1 if there are no more */
static int next_answer(const uint8_t **answer)
{
	size_t len;

	if (input.left < 2)
		return -1;
	len = input.at[0] << 8 | input.at[1];
	if (len > input.left - 2)
		len = input.left - 2;
	*answer = input.at + 2;
	input.at += 2 + len;
	input.left -= 2 + len;

	return len;
}

/* Netlink */

static struct nlattr *put(uint8_t *message, uint16_t type, const void *value,
			  size_t len)
{
	struct nlmsghdr *head = (struct nlmsghdr *)message;
	struct nlattr *attr = (void *)(message + NLMSG_ALIGN(head->nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (value)
		memcpy((uint8_t *)attr + NLA_HDRLEN, value, len);
	head->nlmsg_len = NLMSG_ALIGN(head->nlmsg_len) + NLA_ALIGN(attr->nla_len);

	return attr;
}

static void end_nest(uint8_t *message, struct nlattr *nest)
{
	struct nlmsghdr *head = (struct nlmsghdr *)message;

	nest->nla_len = message + head->nlmsg_len - (uint8_t *)nest;
}

static void put_groups(uint8_t *message)
{
	struct nlattr *groups, *group;
	const uint32_t id = GROUP;

	groups = put(message, CTRL_ATTR_MCAST_GROUPS, NULL, 0);
	group = put(message, 1, NULL, 0);
	put(message, CTRL_ATTR_MCAST_GRP_ID, &id, sizeof(id));
	put(message, CTRL_ATTR_MCAST_GRP_NAME, ESPTCP_MCGRP_EVENTS,
	    sizeof(ESPTCP_MCGRP_EVENTS));
	end_nest(message, group);
	end_nest(message, groups);
}

static size_t put_head(uint8_t *message, uint16_t type, size_t len, bool dump)
{
	memset(message, 0, len);
	*(struct nlmsghdr *)message = (struct nlmsghdr) {
		.nlmsg_len = len,
		.nlmsg_type = type,
		.nlmsg_flags = dump ? NLM_F_MULTI : 0,
	};

	return len;
}

/* What the kernel says of its families: there is ours. */
static size_t answer_family(uint8_t *message)
{
	bool dump = (question.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct nlmsghdr *head = (struct nlmsghdr *)message;
	const uint16_t id = FAMILY;

	memset(message, 0, 512);
	put_head(message, GENL_ID_CTRL, NLMSG_HDRLEN + GENL_HDRLEN, dump);
	((struct genlmsghdr *)NLMSG_DATA(head))->cmd = CTRL_CMD_NEWFAMILY;
	put(message, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	put(message, CTRL_ATTR_FAMILY_NAME, ESPTCP_FAMILY_NAME,
	    sizeof(ESPTCP_FAMILY_NAME));
	put_groups(message);
	if (!dump)
		return head->nlmsg_len;

	return head->nlmsg_len +
		put_head(message + head->nlmsg_len, NLMSG_DONE,
			 NLMSG_LENGTH(sizeof(int)), true);
}

/* An answer bears the number of its question, or it is not looked at. */
static void number(uint8_t *datagram, size_t len)
{
	while (len >= NLMSG_HDRLEN) {
		struct nlmsghdr head;

		memcpy(&head, datagram, sizeof(head));
		head.nlmsg_seq = question.nlmsg_seq;
		head.nlmsg_pid = question.nlmsg_pid;
		memcpy(datagram, &head, sizeof(head));
		if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len >= len ||
		    NLMSG_ALIGN(head.nlmsg_len) >= len)
			return;
		datagram += NLMSG_ALIGN(head.nlmsg_len);
		len -= NLMSG_ALIGN(head.nlmsg_len);
	}
}

/* Called by libnl, in place of the C library's */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	(void)fd;
	(void)flags;
	assert(message->msg_iov[0].iov_len >= sizeof(question));
	memcpy(&question, message->msg_iov[0].iov_base, sizeof(question));

	return message->msg_iov[0].iov_len;
}

static int make_datagram(uint8_t *datagram)
{
	const uint8_t *answer;
	int len;

	if (question.nlmsg_type == GENL_ID_CTRL) {
		len = answer_family(datagram);
		question.nlmsg_type = question.nlmsg_flags & NLM_F_DUMP ?
					      0 : NLMSG_ERROR;
	} else if (question.nlmsg_type == NLMSG_ERROR) {
		/* the acknowledgment comes behind */
		len = put_head(datagram, NLMSG_ERROR,
			       NLMSG_LENGTH(sizeof(struct nlmsgerr)), false);
		question.nlmsg_type = 0;
	} else {
		/* there are no empty datagrams */
		do
			len = next_answer(&answer);
		while (!len);
		if (len > 0)
			memcpy(datagram, answer, len);
	}
	if (len > 0)
		number(datagram, len);

	return len;
}

/* Likewise; libnl looks how long a datagram is before it takes it. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK };
	static union {
		uint8_t octets[MAX_ANSWER];
		struct nlmsghdr align;
	} datagram;
	size_t room = message->msg_iov[0].iov_len;
	int len = waiting;

	(void)fd;
	if (len < 0)
		len = make_datagram(datagram.octets);
	if (len < 0) {
		errno = ECONNRESET;
		return -1;
	}
	memcpy(message->msg_iov[0].iov_base, datagram.octets,
	       (size_t)len < room ? (size_t)len : room);
	memcpy(message->msg_name, &from, sizeof(from));
	message->msg_namelen = sizeof(from);
	message->msg_controllen = 0;
	message->msg_flags = (size_t)len > room ? MSG_TRUNC : 0;
	waiting = flags & MSG_PEEK ? len : -1;

	return len;
}

/* The module is there. */
int access(const char *path, int mode)
{
	(void)path;
	(void)mode;

	return 0;
}

/* libvici */

struct vici_res {
	const uint8_t *at;
	size_t left;
};

static struct {
	vici_event_fn call;
	char name[64];
	void *user;
} event;

void dbg_default_set_level(int level)
{
	(void)level;
}

void dbg_default_set_stream(FILE *stream)
{
	(void)stream;
}

void vici_init(void)
{
}

void vici_deinit(void)
{
}

struct vici_conn *vici_connect(char *uri)
{
	(void)uri;
	asked_charon = true;

	return (struct vici_conn *)&event;
}

void vici_disconnect(struct vici_conn *conn)
{
	(void)conn;
}

struct vici_req *vici_begin(const char *command)
{
	return (struct vici_req *)command;
}

int vici_register(struct vici_conn *conn, const char *name, vici_event_fn call,
		  void *user)
{
	(void)conn;
	event.call = call;
	event.user = user;
	snprintf(event.name, sizeof(event.name), "%s", name);

	return 0;
}

struct vici_res *vici_submit(struct vici_req *req, struct vici_conn *conn)
{
	struct vici_res answer, *res;
	const uint8_t *octets;
	int len;

	(void)req;
	(void)conn;
	while (event.call && (len = next_answer(&octets)) > 0) {
		answer = (struct vici_res) { .at = octets, .left = len };
		event.call(event.user, event.name, &answer);
	}
	len = next_answer(&octets);
	if (len < 0) {
		errno = ECONNRESET;
		return NULL;
	}
	res = malloc(sizeof(*res));
	assert(res);
	*res = (struct vici_res) { .at = octets, .left = len };

	return res;
}

void vici_free_res(struct vici_res *res)
{
	free(res);
}

static size_t take_number(struct vici_res *res, size_t octets)
{
	size_t value = 0;

	while (octets-- && res->left) {
		value = value << 8 | *res->at++;
		res->left--;
	}

	return value;
}

/* A name or a value, with a zero behind it */
static size_t take_text(struct vici_res *res, size_t octets, char *text)
{
	size_t len = take_number(res, octets);

	if (len > res->left)
		len = res->left;
	memcpy(text, res->at, len);
	text[len] = '\0';
	res->at += len;
	res->left -= len;

	return len;
}

/* As libvici's: until the section ends that this was called in */
int vici_parse_cb(struct vici_res *res, vici_section_fn section,
		  vici_value_fn key, vici_value_fn item, void *user)
{
	enum { BEGIN = 1, END, KEY, LIST, ITEM, LIST_END };
	char name[256], list[256] = "", *value;
	size_t len;
	int err = 0;

	value = malloc(UINT16_MAX + 1);
	assert(value);
	while (res->left && !err) {
		size_t type = take_number(res, 1);

		switch (type) {
		case BEGIN:
			take_text(res, 1, name);
			err = section(user, res, name);
			break;
		case KEY:
			take_text(res, 1, name);
			len = take_text(res, 2, value);
			err = key(user, res, name, value, len);
			break;
		case LIST:
			take_text(res, 1, list);
			break;
		case ITEM:
			len = take_text(res, 2, value);
			err = item(user, res, list, value, len);
			break;
		case LIST_END:
			break;
		default:
			free(value);
			return type == END ? 0 : 1;
		}
	}
	free(value);

	return err;
}

struct settings *settings_create(const char *file)
{
	(void)file;

	return NULL;
}

/* The fuzzers */

static void read_capture(const uint8_t *octets, size_t len)
{
	static const char * const options[] = { NULL, "--json" };
	char name[64];
	size_t i;
	int fd;

	fd = memfd_create("capture", 0);
	assert(fd >= 0 && write(fd, octets, len) == (ssize_t)len);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		struct command command = {
			.word = { "capture", name, options[i] },
		};
		int status = run(&command);

		assert(status == 0 || status == 1);
	}
	close(fd);
}

static void ask(const uint8_t *octets, size_t len)
{
	const struct command *command;

	if (!len)
		return;
	command = &commands[*octets % ARRAY_SIZE(commands)];
	input.at = octets + 1;
	input.left = len - 1;
	waiting = -1;
	asked_charon = false;
	run(command);
	assert(asked_charon == command->asks_charon);
	input.left = 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	is_capture = strstr((*argv)[0], "capture");

	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
	if (is_capture)
		read_capture(octets, len);
	else
		ask(octets, len);

	return 0;
}
