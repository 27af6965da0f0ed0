// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp metrics: prints the counters for Prometheus, in its text format, for
 * the textfile collector of its node_exporter.
 */
#include <stdio.h>
#include <string.h>

#include "lib/address.h"
#include "commands.h"
#include "drops.h"
#include "lib/names.h"
#include "lib/args.h"
#include "lib/snapshot.h"

/* What the names of counters say: "rx-esp-frames" and the like. */
static const struct {
	const char *direction;
	const char *payload;
	__u32 frames;
	__u32 octets;
} traffic[] = {
	{ "receive", "esp", ESPTCP_A_STATS_RX_ESP_FRAMES,
	  ESPTCP_A_STATS_RX_ESP_BYTES },
	{ "receive", "ike", ESPTCP_A_STATS_RX_IKE_FRAMES,
	  ESPTCP_A_STATS_RX_IKE_BYTES },
	{ "transmit", "esp", ESPTCP_A_STATS_TX_ESP_FRAMES,
	  ESPTCP_A_STATS_TX_ESP_BYTES },
	{ "transmit", "ike", ESPTCP_A_STATS_TX_IKE_FRAMES,
	  ESPTCP_A_STATS_TX_IKE_BYTES },
};

static void begin(const char *name, const char *type, const char *help)
{
	printf("# HELP esptcp_%s %s\n# TYPE esptcp_%s %s\n", name, help, name,
	       type);
}

static void print_total(const char *name, const char *help,
			const struct counters *counters, bool octets)
{
	size_t i;

	begin(name, "counter", help);
	for (i = 0; i < ARRAY_SIZE(traffic); i++)
		printf("esptcp_%s{direction=\"%s\",payload=\"%s\"} %llu\n",
		       name, traffic[i].direction, traffic[i].payload,
		       counters->value[octets ? traffic[i].octets :
				       traffic[i].frames]);
}

/* The reason is what follows "rx-drop-" or "tx-drop-". */
static void print_drops(const struct counters *counters)
{
	const char *name;
	__u32 i;

	begin("dropped_packets_total", "counter",
	      "Packets that were dropped, by the reason why.");
	for (i = 0; i <= ESPTCP_A_STATS_MAX; i++) {
		name = names_text(&counter_names, i);
		if (!counters_is_drop(i))
			continue;
		printf("esptcp_dropped_packets_total{direction=\"%s\",reason=\"%s\"} %llu\n",
		       name[0] == 'r' ? "receive" : "transmit",
		       name + strlen("rx-drop-"), counters->value[i]);
	}
}

static void print_counter(const char *name, const char *help, __u64 value)
{
	begin(name, "counter", help);
	printf("esptcp_%s %llu\n", name, value);
}

static void print_states(const struct conn_list *conns)
{
	size_t up = 0;
	size_t i;

	for (i = 0; i < conns->count; i++)
		up += conns->item[i].state == ESPTCP_STATE_UP;
	begin("connections", "gauge", "TCP connections that are attached.");
	printf("esptcp_connections{state=\"up\"} %zu\n", up);
	printf("esptcp_connections{state=\"down\"} %zu\n", conns->count - up);
}

static void print_sas(const struct snapshot *snapshot)
{
	const struct binding_list *list = &snapshot->bindings;
	size_t stranded = 0;
	size_t i;

	if (!snapshot->bindings_known)
		return;
	for (i = 0; i < list->count; i++)
		stranded += !list->item[i].conn_id;
	begin("sas", "gauge", "SAs that are bound.");
	printf("esptcp_sas{connected=\"yes\"} %zu\n", list->count - stranded);
	printf("esptcp_sas{connected=\"no\"} %zu\n", stranded);
}

/**
 * struct gauge - something of a connection that goes up and down
 * @name: of the metric
 * @help: what it is
 * @value: takes it from the connection; false if it is not known
 */
struct gauge {
	const char *name;
	const char *help;
	bool (*value)(const struct conn *conn, const struct tcp *tcp,
		      double *value);
};

static bool is_up(const struct conn *conn, const struct tcp *tcp, double *value)
{
	*value = conn->state == ESPTCP_STATE_UP;

	return true;
}

static bool age(const struct conn *conn, const struct tcp *tcp, double *value)
{
	*value = conn->age / 1000.0;

	return true;
}

static bool queue(const struct conn *conn, const struct tcp *tcp, double *value)
{
	*value = conn->tx_queue;

	return true;
}

static bool rtt(const struct conn *conn, const struct tcp *tcp, double *value)
{
	if (tcp)
		*value = tcp->rtt / 1e6;

	return tcp;
}

static bool cwnd(const struct conn *conn, const struct tcp *tcp, double *value)
{
	if (tcp)
		*value = (double)tcp->cwnd * tcp->mss;

	return tcp;
}

static const struct gauge gauges[] = {
	{ "connection_up", "Whether the connection carries ESP.", is_up },
	{ "connection_age_seconds", "Time since it was attached.", age },
	{ "connection_transmit_queue_bytes",
	  "Memory of ESP that waits for TCP to take it.", queue },
	{ "connection_rtt_seconds", "TCP's smoothed round-trip time.", rtt },
	{ "connection_congestion_window_bytes",
	  "What TCP may have on its way.", cwnd },
};

/* The number is part of the labels, as a peer may have two connections. */
static void print_sample(const char *name, const struct conn *conn,
			 const char *more, double value)
{
	char remote[ADDRESS_ENDPOINT_SIZE];

	printf("esptcp_%s{connection=\"%u\",peer=\"%s\"%s} %.15g\n", name,
	       conn->id,
	       address_endpoint(remote, &conn->remote, conn->remote_port), more,
	       value);
}

static const struct tcp *known_tcp(const struct snapshot *snapshot,
				   const struct conn *conn)
{
	const struct tcp *tcp = tcp_find(&snapshot->tcps, conn->inode);

	return tcp && tcp->known ? tcp : NULL;
}

static void print_gauge(const struct snapshot *snapshot,
			const struct gauge *gauge)
{
	double value;
	size_t i;

	begin(gauge->name, "gauge", gauge->help);
	for (i = 0; i < snapshot->conns.count; i++) {
		const struct conn *conn = &snapshot->conns.item[i];

		if (gauge->value(conn, known_tcp(snapshot, conn), &value))
			print_sample(gauge->name, conn, "", value);
	}
}

static void print_retransmissions(const struct snapshot *snapshot)
{
	static const char name[] = "connection_retransmitted_segments_total";
	size_t i;

	begin(name, "counter", "Segments that TCP sent again.");
	for (i = 0; i < snapshot->conns.count; i++) {
		const struct conn *conn = &snapshot->conns.item[i];
		const struct tcp *tcp = known_tcp(snapshot, conn);

		if (tcp)
			print_sample(name, conn, "", tcp->retransmitted);
	}
}

static void print_octets(const struct conn_list *conns)
{
	static const char name[] = "connection_bytes_total";
	char labels[64];
	size_t i, j;

	begin(name, "counter", "Octets of IKE and ESP, without their lengths.");
	for (i = 0; i < conns->count; i++) {
		for (j = 0; j < ARRAY_SIZE(traffic); j++) {
			const struct conn *conn = &conns->item[i];

			snprintf(labels, sizeof(labels),
				 ",direction=\"%s\",payload=\"%s\"",
				 traffic[j].direction, traffic[j].payload);
			print_sample(name, conn, labels,
				     conn->counters.value[traffic[j].octets]);
		}
	}
}

static void print_metrics(const struct snapshot *snapshot)
{
	const struct counters *total = &snapshot->total;
	size_t i;

	print_total("frames_total", "Frames of IKE and ESP.", total, false);
	print_total("bytes_total",
		    "Octets of IKE and ESP, without their lengths.", total,
		    true);
	print_drops(total);
	print_counter("stream_esp_total",
		      "ESP frames received in the stream of a connection with the fortinet framing.",
		      total->value[ESPTCP_A_STATS_RX_STREAM_ESP]);
	print_counter("empty_frames_total", "Frames without content.",
		      total->value[ESPTCP_A_STATS_RX_EMPTY]);
	print_counter("keepalives_total", "NAT keepalives received.",
		      total->value[ESPTCP_A_STATS_RX_KEEPALIVE]);
	print_counter("bad_lengths_total",
		      "Connections that ended by an impossible length.",
		      total->value[ESPTCP_A_STATS_RX_BAD_LENGTH]);
	print_states(&snapshot->conns);
	print_sas(snapshot);
	if (!snapshot->conns.count)
		return;
	for (i = 0; i < ARRAY_SIZE(gauges); i++)
		print_gauge(snapshot, &gauges[i]);
	print_retransmissions(snapshot);
	print_octets(&snapshot->conns);
}

int metrics_main(char **args)
{
	struct snapshot snapshot;
	int status;

	status = args_end(args);
	if (status)
		return status;

	status = snapshot_take(&snapshot);
	if (!status)
		print_metrics(&snapshot);
	snapshot_free(&snapshot);

	return status;
}
