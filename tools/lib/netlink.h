/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink family "esptcp" as C structures and calls. Every call returns 0
 * or a negative errno, and leaves the kernel's own words in genl.message.
 */
#ifndef ESPTCP_NETLINK_H
#define ESPTCP_NETLINK_H

#include "conn.h"

#define GENL_MESSAGE_SIZE	256

struct nl_sock;

/**
 * struct genl - a netlink socket and its family
 * @sock: libnl's socket
 * @family: the family's number in this kernel
 * @message: what the kernel said about the last error, or ""
 */
struct genl {
	struct nl_sock *sock;
	int family;
	char message[GENL_MESSAGE_SIZE];
};

/**
 * struct event - a multicast message
 * @command: ESPTCP_CMD_..._NTF, says which member below is meant
 * @conn: that came up or went down
 * @binding: that moved
 */
struct event {
	__u8 command;
	union {
		struct conn conn;
		struct binding binding;
	};
};

/* Looking changes nothing, so genl_open() leaves a module that is not loaded
 * alone; -ENOPKG tells. genl_open_loading() lets the kernel load it.
 */
int genl_open(struct genl *genl);
int genl_open_loading(struct genl *genl);
void genl_close(struct genl *genl);

int conn_attach(struct genl *genl, __u32 fd, __u32 role, __u32 replaces,
		const struct framing *framing, __u32 *id);
int conn_set(struct genl *genl, __u32 id, const struct framing *framing);
int conn_dump(struct genl *genl, struct conn_list *list);

int binding_set(struct genl *genl, const struct binding *binding);
int binding_set_by_fd(struct genl *genl, const struct binding *binding,
		      __u32 fd);
int binding_delete(struct genl *genl, const struct binding *binding);
int binding_delete_all(struct genl *genl);
int binding_dump(struct genl *genl, struct binding_list *list);

int counters_get(struct genl *genl, struct counters *counters);

int events_subscribe(struct genl *genl);
int events_receive(struct genl *genl,
		   void (*handle)(const struct event *event));

#endif /* ESPTCP_NETLINK_H */
