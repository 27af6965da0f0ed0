// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp show: prints the connections, their SAs, TCP's view and the totals; in
 * words, a line a connection, or as JSON.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/filter.h"
#include "lib/json.h"
#include "lib/print.h"
#include "lib/text.h"

static void print_endpoint(const char *label, const struct address *address,
			   __u16 port)
{
	char text[ENDPOINT_STRLEN];

	print_label(label);
	puts(address_endpoint(text, address, port));
}

static const char *state_colour(const struct conn *conn)
{
	return conn->state == ESPTCP_STATE_UP ? COLOUR_GREEN : COLOUR_RED;
}

static void print_state(const struct conn *conn)
{
	const struct word *reason = names_word(&reason_names, conn->reason);
	char text[256];

	print_label("state");
	print_coloured(state_colour(conn), "%s",
		       names_text(&state_names, conn->state));
	if (conn->reason == ESPTCP_REASON_NONE) {
		putchar('\n');
	} else {
		snprintf(text, sizeof(text), " (%s): %s", reason->name,
			 reason->doc);
		print_wrapped(VALUE_COLUMN + 4, text);
	}
	if (conn->error) {
		print_label("last error");
		print_coloured(COLOUR_RED, "%s", strerror(conn->error));
		putchar('\n');
	}
}

static void print_tcp(const struct tcp *tcp)
{
	print_label("tcp");
	printf("rtt %.3f ms, cwnd %u x %u B, path MTU %u,\n%*s%u retransmitted, %u on their way\n",
	       tcp->rtt / 1000.0, tcp->cwnd, tcp->mss, tcp->pmtu,
	       VALUE_COLUMN, "", tcp->retransmitted, tcp->unacked);
}

static void print_traffic(const char *label, __u64 frames, __u64 octets)
{
	char size[SIZE_STRLEN];

	print_label(label);
	printf("%12llu frame%s  %s\n", frames, frames == 1 ? " " : "s",
	       text_size(size, octets));
}

static void print_drops(const char *label, const char *part,
			const struct counters *counters)
{
	__u32 i = 0;

	while (counters_next(part, &i)) {
		if (!counters->value[i])
			continue;
		print_label(label);
		print_coloured(COLOUR_YELLOW, "%12llu", counters->value[i]);
		fputs("  ", stdout);
		print_wrapped(REMARK_COLUMN, counters_meaning(i));
	}
}

static void print_counters(const struct counters *counters)
{
	const __u64 *value = counters->value;

	print_traffic("ESP in", value[ESPTCP_A_STATS_RX_ESP_FRAMES],
		      value[ESPTCP_A_STATS_RX_ESP_BYTES]);
	print_traffic("ESP out", value[ESPTCP_A_STATS_TX_ESP_FRAMES],
		      value[ESPTCP_A_STATS_TX_ESP_BYTES]);
	print_traffic("IKE in", value[ESPTCP_A_STATS_RX_IKE_FRAMES],
		      value[ESPTCP_A_STATS_RX_IKE_BYTES]);
	print_traffic("IKE out", value[ESPTCP_A_STATS_TX_IKE_FRAMES],
		      value[ESPTCP_A_STATS_TX_IKE_BYTES]);
	print_drops("dropped in", COUNTERS_IN, counters);
	print_drops("dropped out", COUNTERS_OUT, counters);
}

/* Print the SAs of a connection, or of none; return how many there are. */
static size_t print_bindings(const struct binding_list *list, __u32 conn_id,
			     const char *heading)
{
	char daddr[INET6_ADDRSTRLEN];
	size_t i, printed = 0;

	for (i = 0; i < list->count; i++) {
		const struct binding *binding = &list->item[i];

		if (binding->conn_id != conn_id)
			continue;
		if (!printed++ && heading)
			puts(heading);
		print_label("SA");
		printf("%-3s  0x%08x  to %s\n",
		       names_text(&dir_names, binding->dir), binding->spi,
		       address_text(daddr, &binding->daddr));
	}

	return printed;
}

static void print_conn(const struct snapshot *snapshot, const struct conn *conn)
{
	const struct word *role = names_word(&role_names, conn->role);
	const struct tcp *tcp = snapshot_tcp(snapshot, conn);
	char esp[SIZE_STRLEN], ike[SIZE_STRLEN];
	char framing[FRAMING_STRLEN];
	char age[AGE_STRLEN];

	print_coloured(COLOUR_BOLD, "connection %u\n", conn->id);
	print_endpoint("local", &conn->local, conn->local_port);
	print_endpoint("remote", &conn->remote, conn->remote_port);
	print_label("framing");
	print_wrapped(VALUE_COLUMN, framing_text(&conn->framing, framing));
	print_label("role");
	printf("%s: %s\n", role->name, role->doc);
	print_state(conn);
	print_label("age");
	puts(text_age(age, conn->age / 1000, false));
	if (!snapshot->bindings_known) {
		print_label("SAs");
		printf("%u, hidden from you\n", conn->bindings);
	}
	print_bindings(&snapshot->bindings, conn->id, NULL);
	print_counters(&conn->counters);
	print_label("waiting");
	printf("ESP to send: %s, IKE to read: %s\n",
	       text_size(esp, conn->tx_queue),
	       text_size(ike, conn->ike_rx_queue));
	if (tcp)
		print_tcp(tcp);
	putchar('\n');
}

/* Everything in words; the totals only if no filter hides a part of them. */
static void print_all(const struct snapshot *snapshot, bool totals)
{
	size_t i;

	if (!snapshot->conns.count)
		puts(totals ? "no connections\n" : "no such connection");
	for (i = 0; i < snapshot->conns.count; i++)
		print_conn(snapshot, &snapshot->conns.item[i]);
	if (totals) {
		if (print_bindings(&snapshot->bindings, 0,
				   "without a connection (their packets are dropped)"))
			putchar('\n');
		print_coloured(COLOUR_BOLD, "total of the network namespace\n");
		print_counters(&snapshot->total);
	}
	if (!snapshot->bindings_known)
		puts("\nSAs are hidden: seeing them needs CAP_NET_ADMIN. Run esptcp as root.");
}

/* Short, without blanks: "1.2M" */
static const char *short_size(char text[SIZE_STRLEN], __u64 octets)
{
	char unit;
	char *blank;

	text_size(text, octets);
	blank = strchr(text, ' ');
	unit = blank[1];
	if (unit == 'B') {
		*blank = '\0';
		return text;
	}
	/* three digits and a point at most */
	blank = text + (text[3] == '.' ? 3 : 4);
	blank[0] = unit;
	blank[1] = '\0';

	return text;
}

static void print_row(const struct snapshot *snapshot, const struct conn *conn)
{
	const struct tcp *tcp = snapshot_tcp(snapshot, conn);
	const __u64 *value = conn->counters.value;
	char in[SIZE_STRLEN], out[SIZE_STRLEN];
	char endpoint[ENDPOINT_STRLEN];
	char age[AGE_STRLEN];
	char rtt[16] = "-";

	if (tcp)
		snprintf(rtt, sizeof(rtt), "%.1f", tcp->rtt / 1000.0);
	printf("%-6u ", conn->id);
	print_coloured(state_colour(conn), "%-5s",
		       names_text(&state_names, conn->state));
	printf(" %-7s %3u %6s %6s %6s  %s\n",
	       text_age(age, conn->age / 1000, true), conn->bindings,
	       short_size(in, value[ESPTCP_A_STATS_RX_ESP_BYTES]),
	       short_size(out, value[ESPTCP_A_STATS_TX_ESP_BYTES]), rtt,
	       address_endpoint(endpoint, &conn->remote, conn->remote_port));
}

/* One line a connection, for gateways with many, and one for the SAs without */
static void print_table(const struct snapshot *snapshot)
{
	size_t orphans = 0;
	size_t i;

	print_coloured(COLOUR_BOLD, "%-6s %-5s %-7s %3s %6s %6s %6s  %s\n",
		       "ID", "STATE", "AGE", "SAs", "ESP-IN", "-OUT", "RTT/ms",
		       "PEER");
	for (i = 0; i < snapshot->conns.count; i++)
		print_row(snapshot, &snapshot->conns.item[i]);
	for (i = 0; i < snapshot->bindings.count; i++)
		orphans += !snapshot->bindings.item[i].conn_id;
	if (orphans)
		printf("SAs without a connection: %zu (their packets are dropped)\n",
		       orphans);
}

static void add_tcp(struct json_object *conn, const struct tcp *tcp)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "rtt", tcp->rtt);
	json_add_number(object, "cwnd", tcp->cwnd);
	json_add_number(object, "mss", tcp->mss);
	json_add_number(object, "pmtu", tcp->pmtu);
	json_add_number(object, "retransmitted", tcp->retransmitted);
	json_add_number(object, "unacked", tcp->unacked);
	json_object_object_add(conn, "tcp", object);
}

static void print_json(const struct snapshot *snapshot)
{
	struct json_object *conns = json_object_new_array();
	struct json_object *object = json_object_new_object();
	struct json_object *bindings = NULL;
	size_t i;

	for (i = 0; i < snapshot->conns.count; i++) {
		const struct conn *conn = &snapshot->conns.item[i];
		const struct tcp *tcp = snapshot_tcp(snapshot, conn);
		struct json_object *item = conn_json(conn);

		if (tcp)
			add_tcp(item, tcp);
		json_object_array_add(conns, item);
	}
	json_object_object_add(object, "connections", conns);
	if (snapshot->bindings_known) {
		bindings = json_object_new_array();
		json_object_object_add(object, "bindings", bindings);
	}
	for (i = 0; i < snapshot->bindings.count && bindings; i++)
		json_object_array_add(bindings,
				      binding_json(&snapshot->bindings.item[i]));
	json_object_object_add(object, "stats",
			       counters_json(&snapshot->total));
	json_print(object);
}

int show_main(char **args)
{
	bool brief = args_option(args, "--brief", "-b");
	bool json = args_json(args);
	struct snapshot snapshot;
	int status;
	bool all;

	status = filter_snapshot(args, &snapshot, &all);
	if (!status && json)
		print_json(&snapshot);
	else if (!status && brief)
		print_table(&snapshot);
	else if (!status)
		print_all(&snapshot, all);
	snapshot_free(&snapshot);

	return status;
}
