/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink family "esptcp" as C structures and calls. Every call returns 0
 * or a negative errno, and leaves the kernel's own words in genl.message.
 */
#ifndef ESPTCP_NETLINK_H
#define ESPTCP_NETLINK_H

#include <stddef.h>

#include <linux/esptcp.h>
#include <linux/types.h>

#include "framing.h"

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
	char message[256];
};

/**
 * struct address - an IP address
 * @octets: network byte order
 * @len: 4 or 16; 0 if there is none
 */
struct address {
	__u8 octets[16];
	__u8 len;
};

/**
 * struct counters - the counters of a connection or of a network namespace
 * @value: indexed by their attribute's number, as counter_names
 */
struct counters {
	__u64 value[ESPTCP_A_STATS_MAX + 1];
};

/**
 * struct conn - a connection
 * @id: its number in the network namespace
 * @framing: how ESP is put on the wire
 * @state: enum esptcp_state
 * @reason: enum esptcp_reason
 * @local: address of this end
 * @remote: address of the other end
 * @local_port: in host byte order
 * @remote_port: in host byte order
 * @inode: of the socket
 * @age: milliseconds since it was attached
 * @tx_queue: octets of ESP that wait for TCP
 * @ike_rx_queue: octets of memory of IKE that waits for the owner
 * @bindings: number of SAs
 * @role: enum esptcp_role
 * @error: errno with which TCP ended, or 0
 * @counters: its own
 */
struct conn {
	__u32 id;
	struct framing framing;
	__u32 state;
	__u32 reason;
	struct address local;
	struct address remote;
	__u16 local_port;
	__u16 remote_port;
	__u64 inode;
	__u64 age;
	__u32 tx_queue;
	__u32 ike_rx_queue;
	__u32 bindings;
	__u32 role;
	__u32 error;
	struct counters counters;
};

/**
 * struct binding - an SA that travels in a connection
 * @conn_id: 0 if the connection is gone
 * @dir: enum esptcp_dir
 * @spi: in host byte order
 * @daddr: destination address of the SA
 */
struct binding {
	__u32 conn_id;
	__u32 dir;
	__u32 spi;
	struct address daddr;
};

struct conn_list {
	struct conn *item;
	size_t count;
};

struct binding_list {
	struct binding *item;
	size_t count;
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

/* For what else speaks netlink: keeps libnl's words, returns an errno. */
int libnl_error(struct genl *genl, int error);

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

int stats_get(struct genl *genl, struct counters *counters);

int events_subscribe(struct genl *genl);
int events_receive(struct genl *genl,
		   void (*handle)(const struct event *event));

#endif /* ESPTCP_NETLINK_H */
