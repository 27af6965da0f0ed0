// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp dump: prints everything for scripts, a record a line, fields between
 * tabs. The manual page names the fields; more may be added at the end of a
 * record, none is ever moved.
 */
#include <stdio.h>

#include "commands.h"
#include "lib/filter.h"
#include "lib/memory.h"
#include "lib/names.h"

/* The counters of a connection's record, in their order */
static const __u32 traffic[] = {
	ESPTCP_A_STATS_RX_ESP_FRAMES, ESPTCP_A_STATS_RX_ESP_BYTES,
	ESPTCP_A_STATS_TX_ESP_FRAMES, ESPTCP_A_STATS_TX_ESP_BYTES,
	ESPTCP_A_STATS_RX_IKE_FRAMES, ESPTCP_A_STATS_RX_IKE_BYTES,
	ESPTCP_A_STATS_TX_IKE_FRAMES, ESPTCP_A_STATS_TX_IKE_BYTES,
};

static void print_conn(const struct conn *conn, const struct tcp *tcp)
{
	char remote[INET6_ADDRSTRLEN];
	char local[INET6_ADDRSTRLEN];
	size_t i;

	printf("conn\t%u\t%s\t%s\t%u\t%s\t%s", conn->id,
	       names_text(&state_names, conn->state),
	       names_text(&reason_names, conn->reason), conn->error,
	       names_text(&role_names, conn->role),
	       names_text(&framing_names, conn->framing.kind));
	printf("\t%s\t%u\t%s\t%u", address_text(local, &conn->local),
	       conn->local_port, address_text(remote, &conn->remote),
	       conn->remote_port);
	printf("\t%llu\t%llu\t%u\t%u\t%u", conn->inode, conn->age,
	       conn->bindings, conn->tx_queue, conn->ike_rx_queue);
	for (i = 0; i < ARRAY_SIZE(traffic); i++)
		printf("\t%llu", conn->counters.value[traffic[i]]);
	printf("\t%llu\t%llu", counters_sum(&conn->counters, COUNTERS_IN),
	       counters_sum(&conn->counters, COUNTERS_OUT));
	if (tcp)
		printf("\t%u\t%u\t%u\n", tcp->rtt, tcp->cwnd,
		       tcp->retransmitted);
	else
		puts("\t-\t-\t-");
}

static void print_sa(const struct binding *binding)
{
	char daddr[INET6_ADDRSTRLEN];
	char id[sizeof("4294967295")] = "-";

	if (binding->conn_id)
		snprintf(id, sizeof(id), "%u", binding->conn_id);
	printf("sa\t%s\t%s\t0x%08x\t%s\n", id,
	       names_text(&dir_names, binding->dir), binding->spi,
	       address_text(daddr, &binding->daddr));
}

static void print_all(const struct snapshot *snapshot, bool totals)
{
	size_t i;
	__u32 c = 0;

	for (i = 0; i < snapshot->conns.count; i++) {
		const struct conn *conn = &snapshot->conns.item[i];

		print_conn(conn, snapshot_tcp(snapshot, conn));
	}
	for (i = 0; i < snapshot->bindings.count; i++)
		print_sa(&snapshot->bindings.item[i]);
	if (!totals)
		return;
	while (counters_next(COUNTERS_ALL, &c))
		printf("total\t%s\t%llu\n", counters_name(c),
		       snapshot->total.value[c]);
}

int dump_main(char **args)
{
	struct snapshot snapshot;
	int status;
	bool all;

	status = filter_snapshot(args, &snapshot, &all);
	if (!status)
		print_all(&snapshot, all);
	snapshot_free(&snapshot);

	return status;
}
