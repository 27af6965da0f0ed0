// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp metrics: prints the counters for Prometheus, in its text format, for
 * the textfile collector of its node_exporter.
 *
 * A connection's number, and the port of who opened it, are new whenever it is
 * opened again. So what is said of connections is said of peers, by address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/memory.h"
#include "lib/snapshot.h"

/* What the names of counters say: "rx-esp-frames" and the like. */
static const struct {
	const char *labels;
	__u32 frames;
	__u32 octets;
} traffic[] = {
	{ "direction=\"receive\",payload=\"esp\"",
	  ESPTCP_A_STATS_RX_ESP_FRAMES, ESPTCP_A_STATS_RX_ESP_BYTES },
	{ "direction=\"receive\",payload=\"ike\"",
	  ESPTCP_A_STATS_RX_IKE_FRAMES, ESPTCP_A_STATS_RX_IKE_BYTES },
	{ "direction=\"transmit\",payload=\"esp\"",
	  ESPTCP_A_STATS_TX_ESP_FRAMES, ESPTCP_A_STATS_TX_ESP_BYTES },
	{ "direction=\"transmit\",payload=\"ike\"",
	  ESPTCP_A_STATS_TX_IKE_FRAMES, ESPTCP_A_STATS_TX_IKE_BYTES },
};

static void begin(const char *name, const char *type, const char *help)
{
	printf("# HELP esptcp_%s %s\n# TYPE esptcp_%s %s\n", name, help, name,
	       type);
}

static void print_traffic(const struct counters *counters)
{
	size_t i;

	begin("frames_total", "counter", "Frames of IKE and ESP.");
	for (i = 0; i < ARRAY_SIZE(traffic); i++)
		printf("esptcp_frames_total{%s} %llu\n", traffic[i].labels,
		       counters->value[traffic[i].frames]);
	begin("bytes_total", "counter",
	      "Octets of IKE and ESP, without their lengths.");
	for (i = 0; i < ARRAY_SIZE(traffic); i++)
		printf("esptcp_bytes_total{%s} %llu\n", traffic[i].labels,
		       counters->value[traffic[i].octets]);
}

/* The reason is what follows "rx-drop-" or "tx-drop-". */
static void print_drops(const struct counters *counters)
{
	__u32 i = 0;

	begin("dropped_packets_total", "counter",
	      "Packets that were dropped, by the reason why.");
	while (counters_next(COUNTERS_DROPS, &i))
		printf("esptcp_dropped_packets_total{direction=\"%s\",reason=\"%s\"} %llu\n",
		       counters_name(i)[0] == 'r' ? "receive" : "transmit",
		       counters_name(i) + strlen("rx-drop-"),
		       counters->value[i]);
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

static void print_sas(const struct binding_list *list)
{
	size_t stranded = 0;
	size_t i;

	for (i = 0; i < list->count; i++)
		stranded += !list->item[i].conn_id;
	begin("sas", "gauge", "SAs that are bound.");
	printf("esptcp_sas{connected=\"yes\"} %zu\n", list->count - stranded);
	printf("esptcp_sas{connected=\"no\"} %zu\n", stranded);
}

/**
 * struct peer - the connections with an address, added up
 * @address: of the peer
 * @up: how many are up
 * @down: how many have ended
 * @age: seconds since the youngest was attached
 * @queue: octets of memory of ESP that waits for TCP
 * @tcp: TCP's view of one of them is known
 * @rtt: seconds, the longest round-trip time
 * @window: octets of the congestion windows
 * @retransmitted: segments that TCP sent again
 * @octets: of traffic[]
 */
struct peer {
	const struct address *address;
	double up;
	double down;
	double age;
	double queue;
	bool tcp;
	double rtt;
	double window;
	double retransmitted;
	double octets[ARRAY_SIZE(traffic)];
};

struct peer_list {
	struct peer *item;
	size_t count;
};

static void add_conn(struct peer *peer, const struct conn *conn,
		     const struct tcp *tcp)
{
	bool first = !peer->up && !peer->down;
	double age = conn->age / 1000.0;
	size_t i;

	*(conn->state == ESPTCP_STATE_UP ? &peer->up : &peer->down) += 1;
	if (first || age < peer->age)
		peer->age = age;
	peer->queue += conn->tx_queue;
	for (i = 0; i < ARRAY_SIZE(traffic); i++)
		peer->octets[i] += conn->counters.value[traffic[i].octets];
	if (!tcp)
		return;
	peer->tcp = true;
	if (tcp->rtt / 1e6 > peer->rtt)
		peer->rtt = tcp->rtt / 1e6;
	peer->window += (double)tcp->cwnd * tcp->mss;
	peer->retransmitted += tcp->retransmitted;
}

static int by_peer(const void *a, const void *b)
{
	const struct address *left = &((const struct conn *)a)->remote;
	const struct address *right = &((const struct conn *)b)->remote;

	return left->len != right->len ? (int)left->len - right->len :
		memcmp(left->octets, right->octets, left->len);
}

static void find_peers(struct peer_list *peers, struct snapshot *snapshot)
{
	struct conn_list *conns = &snapshot->conns;
	const struct conn *conn;

	qsort(conns->item, conns->count, sizeof(*conn), by_peer);
	for (conn = conns->item; conn < conns->item + conns->count; conn++) {
		if (conn == conns->item || by_peer(conn - 1, conn)) {
			peers->item = memory_grow(peers->item, peers->count, 1,
						  sizeof(*peers->item));
			peers->item[peers->count++] =
				(struct peer) { .address = &conn->remote };
		}
		add_conn(&peers->item[peers->count - 1], conn,
			 snapshot_tcp(snapshot, conn));
	}
}

static void print_sample(const char *name, const struct peer *peer,
			 const char *labels, double value)
{
	char address[INET6_ADDRSTRLEN];

	printf("esptcp_%s{peer=\"%s\"%s%s} %.15g\n", name,
	       address_text(address, peer->address), *labels ? "," : "",
	       labels, value);
}

#define MEMBER(member)	offsetof(struct peer, member)

/* What is said of each peer; several of the same name stand together. */
static const struct {
	const char *name;
	const char *labels;
	size_t member;
	bool of_tcp;
	const char *type;
	const char *help;
} samples[] = {
	{ "peer_connections", "state=\"up\"", MEMBER(up), false, "gauge",
	  "TCP connections with the peer's address." },
	{ "peer_connections", "state=\"down\"", MEMBER(down), false, NULL,
	  NULL },
	{ "peer_age_seconds", "", MEMBER(age), false, "gauge",
	  "Time since the youngest connection was attached." },
	{ "peer_transmit_queue_bytes", "", MEMBER(queue), false, "gauge",
	  "Memory of ESP that waits for TCP to take it." },
	{ "peer_rtt_seconds", "", MEMBER(rtt), true, "gauge",
	  "TCP's smoothed round-trip time, the longest." },
	{ "peer_congestion_window_bytes", "", MEMBER(window), true, "gauge",
	  "What TCP may have on its way." },
	{ "peer_retransmitted_segments_total", "", MEMBER(retransmitted), true,
	  "counter", "Segments that TCP sent again, of connections that are attached." },
};

static void print_peers(const struct peer_list *peers)
{
	static const char name[] = "peer_bytes_total";
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(samples); i++) {
		if (samples[i].help)
			begin(samples[i].name, samples[i].type,
			      samples[i].help);
		for (j = 0; j < peers->count; j++) {
			const struct peer *peer = &peers->item[j];

			if (peer->tcp || !samples[i].of_tcp)
				print_sample(samples[i].name, peer,
					     samples[i].labels,
					     *(double *)((char *)peer +
							 samples[i].member));
		}
	}
	begin(name, "counter",
	      "Octets of IKE and ESP, without their lengths, of connections that are attached.");
	for (j = 0; j < peers->count; j++) {
		for (i = 0; i < ARRAY_SIZE(traffic); i++)
			print_sample(name, &peers->item[j], traffic[i].labels,
				     peers->item[j].octets[i]);
	}
}

static void print_metrics(struct snapshot *snapshot)
{
	const struct counters *total = &snapshot->total;
	struct peer_list peers = { };

	print_traffic(total);
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
	if (snapshot->bindings_known)
		print_sas(&snapshot->bindings);
	if (!snapshot->conns.count)
		return;
	find_peers(&peers, snapshot);
	print_peers(&peers);
	free(peers.item);
}

int metrics_main(char **args)
{
	struct snapshot snapshot;
	int status;

	status = args_end(args);
	if (status)
		return status;

	status = snapshot_take_or_tell(&snapshot);
	if (!status)
		print_metrics(&snapshot);
	snapshot_free(&snapshot);

	return status;
}
