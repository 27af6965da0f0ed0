// SPDX-License-Identifier: GPL-2.0
/*
 * Asks the kernel's sock_diag for TCP sockets. libnl's own idiag library hands
 * struct tcp_info over by value, and that structure grows from release to
 * release; so its messages are decoded here, as far as they go.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "memory.h"
#include "tcp.h"

/* What every kernel tells of struct tcp_info, and as much as is used here */
#define INFO_SIZE	(offsetof(struct tcp_info, tcpi_total_retrans) + \
			 sizeof(__u32))

static void set_address(struct address *address, __u8 family, const void *data)
{
	address->len = family == AF_INET6 ? 16 : 4;
	memcpy(address->octets, data, address->len);
}

/* An IPv4 peer of an IPv6 socket is shown as what it is. */
static void unmap(struct address *address)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (address->len == 16 &&
	    !memcmp(address->octets, mapped, sizeof(mapped))) {
		memmove(address->octets, address->octets + 12, 4);
		address->len = 4;
	}
}

static void set_info(struct tcp *tcp, const struct nlattr *attr)
{
	struct tcp_info info = { };

	if (!attr || nla_len(attr) < (int)INFO_SIZE)
		return;

	nla_memcpy(&info, attr, sizeof(info));
	tcp->known = true;
	tcp->sack = info.tcpi_options & TCPI_OPT_SACK;
	tcp->timestamps = info.tcpi_options & TCPI_OPT_TIMESTAMPS;
	tcp->window_scaling = info.tcpi_options & TCPI_OPT_WSCALE;
	tcp->rtt = info.tcpi_rtt;
	tcp->cwnd = info.tcpi_snd_cwnd;
	tcp->mss = info.tcpi_snd_mss;
	tcp->pmtu = info.tcpi_pmtu;
	tcp->retransmitted = info.tcpi_total_retrans;
	tcp->unacked = info.tcpi_unacked;
	tcp->backoff = info.tcpi_backoff;
}

static int decode(struct nlmsghdr *message, struct tcp *tcp)
{
	struct nlattr *attr[INET_DIAG_MAX + 1];
	const struct inet_diag_msg *diag;

	if (nlmsg_parse(message, sizeof(*diag), attr, INET_DIAG_MAX, NULL))
		return -EBADMSG;

	diag = nlmsg_data(message);
	memset(tcp, 0, sizeof(*tcp));
	tcp->inode = diag->idiag_inode;
	tcp->uid = diag->idiag_uid;
	tcp->listening = diag->idiag_state == TCP_LISTEN;
	tcp->local_port = ntohs(diag->id.idiag_sport);
	tcp->remote_port = ntohs(diag->id.idiag_dport);
	set_address(&tcp->local, diag->idiag_family, diag->id.idiag_src);
	set_address(&tcp->remote, diag->idiag_family, diag->id.idiag_dst);
	unmap(&tcp->local);
	unmap(&tcp->remote);
	set_info(tcp, attr[INET_DIAG_INFO]);

	return 0;
}

static int on_socket(struct nl_msg *msg, void *arg)
{
	struct tcp_list *list = arg;

	list->item = memory_grow(list->item, list->count, 1,
				 sizeof(*list->item));
	if (!decode(nlmsg_hdr(msg), &list->item[list->count]))
		list->count++;

	return NL_OK;
}

static int dump_family(struct nl_sock *sock, __u8 family, __u32 states,
		       struct tcp_list *list)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_ext = 1 << (INET_DIAG_INFO - 1),
		.idiag_states = states,
	};
	int err;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_socket, list);
	err = nl_send_simple(sock, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request,
			     sizeof(request));

	return err < 0 ? err : nl_recvmsgs_default(sock);
}

static int by_inode(const void *a, const void *b)
{
	const struct tcp *left = a, *right = b;

	return (left->inode > right->inode) - (left->inode < right->inode);
}

/**
 * tcp_dump() - list the namespace's TCP sockets
 * @states: a set of TCP's states
 * @list: filled, in the order of their inodes; the caller frees its items
 *
 * Sockets that come or go meanwhile may be missing; that is no error.
 *
 * Return: NULL, or why the kernel does not list them
 */
const char *tcp_dump(__u32 states, struct tcp_list *list)
{
	struct nl_sock *sock = memory_check(nl_socket_alloc());
	int err;

	err = nl_connect(sock, NETLINK_SOCK_DIAG);
	if (err >= 0)
		err = dump_family(sock, AF_INET, states, list);
	if (err >= 0 || err == -NLE_DUMP_INTR)
		err = dump_family(sock, AF_INET6, states, list);
	nl_socket_free(sock);
	/* without sockets there is no array, which qsort() has to be given */
	if (list->count)
		qsort(list->item, list->count, sizeof(*list->item), by_inode);

	return err < 0 && err != -NLE_DUMP_INTR ? nl_geterror(err) : NULL;
}

/**
 * tcp_find() - find a socket in a list that tcp_dump() made
 * @list: the list
 * @inode: of the socket
 *
 * Return: the socket, or NULL
 */
const struct tcp *tcp_find(const struct tcp_list *list, __u64 inode)
{
	struct tcp key = { .inode = inode };

	if (!list->count)
		return NULL;

	return bsearch(&key, list->item, list->count, sizeof(*list->item),
		       by_inode);
}
