// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/esptcp: a line for each connection, and /proc/net/esptcp_stat:
 * a line for each counter of the namespace. Documented in kmod/README.md.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/inet_sock.h>

#include "proc.h"
#include "stats.h"

static const char *state_name(const struct esptcp_conn *conn)
{
	return READ_ONCE(conn->state) == ESPTCP_STATE_UP ? "up" : "down";
}

static const char *reason_name(const struct esptcp_conn *conn)
{
	static const char * const names[] = {
		[ESPTCP_REASON_NONE] = "-",
		[ESPTCP_REASON_CLOSED] = "closed",
		[ESPTCP_REASON_EOF] = "eof",
		[ESPTCP_REASON_RESET] = "reset",
		[ESPTCP_REASON_TIMEOUT] = "timeout",
		[ESPTCP_REASON_BAD_LENGTH] = "bad-length",
		[ESPTCP_REASON_ERROR] = "error",
	};

	return names[READ_ONCE(conn->reason)];
}

static const char *framing_name(const struct esptcp_conn *conn)
{
	return esptcp_framing(conn) == ESPTCP_FRAMING_FORTINET ? "fortinet" :
							  "rfc9329";
}

static void show_address(struct seq_file *m, const struct esptcp_conn *conn,
			 const xfrm_address_t *addr, __be16 port)
{
	if (conn->family == AF_INET6)
		seq_printf(m, " [%pI6c]:%u", &addr->in6, ntohs(port));
	else
		seq_printf(m, " %pI4:%u", &addr->a4, ntohs(port));
}

static u64 counter(const struct esptcp_conn *conn, int stat)
{
	return atomic64_read(&conn->counters.v[stat]);
}

static void show_conn(struct seq_file *m, const struct esptcp_conn *conn)
{
	const struct inet_sock *inet = inet_sk(conn->sk);

	seq_printf(m, "%u", conn->id);
	show_address(m, conn, &conn->local, inet->inet_sport);
	show_address(m, conn, &conn->remote, inet->inet_dport);
	seq_printf(m, " %s %s %s %llu %u %u %u %u %llu %llu %llu %llu\n",
		   framing_name(conn), state_name(conn), reason_name(conn), conn->inode,
		   jiffies_to_msecs(jiffies - conn->attached) / 1000,
		   READ_ONCE(conn->nbindings), READ_ONCE(conn->tx_backlog),
		   READ_ONCE(conn->ike_rx_bytes),
		   counter(conn, ESPTCP_A_STATS_RX_ESP_FRAMES),
		   counter(conn, ESPTCP_A_STATS_TX_ESP_FRAMES),
		   counter(conn, ESPTCP_A_STATS_RX_IKE_FRAMES),
		   counter(conn, ESPTCP_A_STATS_TX_IKE_FRAMES));
}

static int proc_conns_show(struct seq_file *m, void *v)
{
	struct esptcp_net *en = esptcp_net(seq_file_single_net(m));
	struct esptcp_conn *conn;
	unsigned long id;

	seq_puts(m, "id local remote framing state reason inode age bindings tx_queue ike_rx_queue rx_esp tx_esp rx_ike tx_ike\n");
	rcu_read_lock();
	xa_for_each(&en->conns, id, conn)
		show_conn(m, conn);
	rcu_read_unlock();
	return 0;
}

static int proc_stat_show(struct seq_file *m, void *v)
{
	struct esptcp_net *en = esptcp_net(seq_file_single_net(m));
	int stat;

	for (stat = 1; stat < __ESPTCP_A_STATS_MAX; stat++)
		if (esptcp_stat_names[stat])
			seq_printf(m, "%-24s %llu\n", esptcp_stat_names[stat],
				   esptcp_mib_read(en, stat));
	return 0;
}

/**
 * esptcp_proc_net_init() - make the files of a namespace
 * @net: the namespace
 *
 * Return: 0 or -ENOMEM
 */
int esptcp_proc_net_init(struct net *net)
{
	if (!proc_create_net_single("esptcp", 0444, net->proc_net,
				    proc_conns_show, NULL))
		return -ENOMEM;
	if (proc_create_net_single("esptcp_stat", 0444, net->proc_net,
				   proc_stat_show, NULL))
		return 0;
	remove_proc_entry("esptcp", net->proc_net);
	return -ENOMEM;
}

/**
 * esptcp_proc_net_exit() - remove the files of a namespace
 * @net: the namespace
 */
void esptcp_proc_net_exit(struct net *net)
{
	remove_proc_entry("esptcp_stat", net->proc_net);
	remove_proc_entry("esptcp", net->proc_net);
}
