/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's netlink commands as functions, for tests and the carrier.
 *
 * Requests are lists of attributes, so that tests can send wrong ones. All
 * functions return 0, or a negative errno as the kernel gave it (libnl's own
 * error numbers would hide it).
 */
#ifndef GENL_H
#define GENL_H

#include <stdint.h>

#include <linux/esptcp.h>

struct nl_sock;

struct genl {
	struct nl_sock *sk;
	int family;
	int group;
	char message[128];	/* what the kernel said to the last error */
};

struct attr {
	int type;	/* 0 ends the list */
	int len;	/* or ATTR_NESTED: the data is a list */
	const void *data;
};

#define ATTR_NESTED	-1

#define ATTR_U32(type, value) { type, 4, &(uint32_t){ value } }
#define ATTR_FLAG(type) { type, 0, "" }
#define ATTR_OCTETS(type, octets, len) { type, len, octets }

struct address {
	uint8_t octets[16];
	int len;
};

struct conn {
	uint32_t id, framing, state, reason, tx_queue, ike_rx_queue, bindings;
	uint64_t inode, age;
	uint16_t local_port, remote_port;	/* host byte order */
	struct address local, remote;
	uint64_t stats[__ESPTCP_A_STATS_MAX];
	int64_t profile[__ESPTCP_A_PROFILE_MAX];	/* -1: not there */
};

struct binding {
	uint32_t conn_id;			/* 0: none */
	uint32_t dir, spi;			/* host byte order */
	struct address daddr;
};

/* A multicast message; which of the two it is about depends on the command. */
struct event {
	int cmd;
	struct conn conn;
	struct binding binding;
};

int genl_open(struct genl *g);
void genl_close(struct genl *g);
int genl_do(struct genl *g, int cmd, const struct attr *attrs);

int genl_attach(struct genl *g, int fd, uint32_t replaces, uint32_t *id);
/* The same with further attributes */
int genl_attach_with(struct genl *g, int fd, uint32_t replaces,
		     const struct attr *attrs, uint32_t *id);
int genl_conn_by_id(struct genl *g, uint32_t id, struct conn *conn);
int genl_conn_by_fd(struct genl *g, int fd, struct conn *conn);
int genl_stats(struct genl *g, uint64_t *stats);
int genl_bind(struct genl *g, const struct binding *b);
int genl_unbind(struct genl *g, const struct binding *b);
int genl_unbind_all(struct genl *g);

/* Dumps: fill a table and return how many there were, perhaps more. */
int genl_conns(struct genl *g, struct conn *conns, int max);
int genl_bindings(struct genl *g, struct binding *bindings, int max);

/* Events: subscribe with a socket of its own, then wait for one at a time. */
int genl_subscribe(struct genl *g);
int genl_event(struct genl *g, struct event *event, int ms);

#endif /* GENL_H */
