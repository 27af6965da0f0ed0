/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module says of its connections, and of the SAs bound to them.
 */
#ifndef ESPTCP_CONN_H
#define ESPTCP_CONN_H

#include <stddef.h>

#include "address.h"
#include "counters.h"
#include "framing.h"

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

const struct conn *conn_find(const struct conn_list *list, __u32 id);
struct json_object *conn_json(const struct conn *conn);
struct json_object *binding_json(const struct binding *binding);

#endif /* ESPTCP_CONN_H */
