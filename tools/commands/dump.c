// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp dump: prints everything for scripts, a record a line, fields between
 * tabs. The manual page names the fields; more may be added at the end of a
 * record, none is ever moved.
 */
#include <stdio.h>

#include "lib/address.h"
#include "commands.h"
#include "drops.h"
#include "lib/filter.h"
#include "lib/names.h"
#include "lib/snapshot.h"

/* The counters of a connection's record, in their order */
static const __u32 traffic[] = {
	ESPTCP_A_STATS_RX_ESP_FRAMES, ESPTCP_A_STATS_RX_ESP_BYTES,
	ESPTCP_A_STATS_TX_ESP_FRAMES, ESPTCP_A_STATS_TX_ESP_BYTES,
	ESPTCP_A_STATS_RX_IKE_FRAMES, ESPTCP_A_STATS_RX_IKE_BYTES,
	ESPTCP_A_STATS_TX_IKE_FRAMES, ESPTCP_A_STATS_TX_IKE_BYTES,
};

static void print_traffic(const struct counters *counters)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(traffic); i++)
		printf("\t%llu", counters->value[traffic[i]]);
	printf("\t%llu\t%llu", counters_sum(counters, "rx-drop-"),
	       counters_sum(counters, "tx-drop-"));
}

static void print_tcp(const struct tcp *tcp)
{
	if (tcp && tcp->known)
		printf("\t%u\t%u\t%u\n", tcp->rtt, tcp->cwnd,
		       tcp->retransmitted);
	else
		puts("\t-\t-\t-");
}

static void print_conn(const struct snapshot *snapshot, const struct conn *conn)
{
	char remote[INET6_ADDRSTRLEN];
	char local[INET6_ADDRSTRLEN];

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
	print_traffic(&conn->counters);
	print_tcp(tcp_find(&snapshot->tcps, conn->inode));
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

static void print_totals(const struct counters *counters)
{
	__u32 i;

	for (i = 0; i < counter_names.size; i++) {
		if (counter_names.words[i].name)
			printf("total\t%s\t%llu\n", names_text(&counter_names, i),
			       counters->value[i]);
	}
}

static void print_all(const struct snapshot *snapshot, bool totals)
{
	size_t i;

	for (i = 0; i < snapshot->conns.count; i++)
		print_conn(snapshot, &snapshot->conns.item[i]);
	for (i = 0; i < snapshot->bindings.count; i++)
		print_sa(&snapshot->bindings.item[i]);
	if (totals)
		print_totals(&snapshot->total);
}

int dump_main(char **args)
{
	struct snapshot snapshot;
	struct filter filter;
	int status;

	status = filter_take(&args, &filter);
	if (status)
		return status;

	status = snapshot_take(&snapshot);
	if (!status) {
		filter_apply(&filter, &snapshot);
		print_all(&snapshot, !filter.any);
	}
	snapshot_free(&snapshot);

	return status;
}
