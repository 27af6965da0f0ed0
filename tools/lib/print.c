// SPDX-License-Identifier: GPL-2.0
/*
 * Prints for people: lines of at most 80 columns, a label before each value.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "colour.h"
#include "names.h"
#include "print.h"

#define COLUMNS		80

/* Print a label, so that the value begins in VALUE_COLUMN. */
void print_label(const char *label)
{
	printf("  %-*s", VALUE_COLUMN - 2, label);
}

/* Print text from a column on, broken at blanks, and end the line. */
void print_wrapped(unsigned int column, const char *text)
{
	size_t room = COLUMNS - column;
	size_t length;

	while (strlen(text) > room) {
		length = room;
		while (length && text[length] != ' ')
			length--;
		if (!length)
			break;
		printf("%.*s\n%*s", (int)length, text, column, "");
		text += length + 1;
	}
	puts(text);
}

const char *size_text(char text[SIZE_STRLEN], __u64 octets)
{
	static const char units[] = "KMGTPE";
	double size = octets / 1024.0;
	unsigned int i = 0;

	if (octets < 1024) {
		snprintf(text, SIZE_STRLEN, "%llu B", octets);
		return text;
	}
	while (size >= 1024) {
		size /= 1024;
		i++;
	}
	snprintf(text, SIZE_STRLEN, "%.2f %ciB", size, units[i]);

	return text;
}

/* Two units at most; a table has room for one. */
const char *age_text(char text[AGE_STRLEN], __u64 seconds, bool brief)
{
	static const struct {
		const char *name;
		unsigned int seconds;
	} units[] = {
		{ "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 },
	};
	unsigned int i = 0;
	__u64 rest;
	int length;

	while (units[i].seconds > 1 && seconds < units[i].seconds)
		i++;
	rest = seconds % units[i].seconds;
	length = snprintf(text, AGE_STRLEN, "%llu %s",
			  seconds / units[i].seconds, units[i].name);
	if (!brief && units[i].seconds > 1)
		snprintf(text + length, AGE_STRLEN - length, " %llu %s",
			 rest / units[i + 1].seconds, units[i + 1].name);

	return text;
}

static void print_age(__u64 milliseconds)
{
	char text[AGE_STRLEN];

	print_label("age");
	puts(age_text(text, milliseconds / 1000, false));
}

static void print_endpoint(const char *label, const struct address *address,
			   __u16 port)
{
	char text[ADDRESS_ENDPOINT_SIZE];

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
	colour_on(state_colour(conn));
	fputs(names_text(&state_names, conn->state), stdout);
	colour_off();
	if (conn->reason == ESPTCP_REASON_NONE) {
		putchar('\n');
		return;
	}
	snprintf(text, sizeof(text), " (%s): %s", reason->name, reason->doc);
	print_wrapped(VALUE_COLUMN + 4, text);
}

static void print_framing(const struct framing *framing)
{
	char text[FRAMING_SIZE];

	print_label("framing");
	print_wrapped(VALUE_COLUMN, framing_text(framing, text));
}

static void print_role(const struct conn *conn)
{
	const struct word *role = names_word(&role_names, conn->role);

	print_label("role");
	printf("%s: %s\n", role->name, role->doc);
}

static void print_error(const struct conn *conn)
{
	if (!conn->error)
		return;
	print_label("last error");
	colour_on(COLOUR_RED);
	puts(strerror(conn->error));
	colour_off();
}

/* A connection that has ended has no socket that sock_diag shows. */
static void print_tcp(const struct tcp *tcp)
{
	if (!tcp || !tcp->known)
		return;
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
	       size_text(size, octets));
}

static void print_drops(const char *label, const char *prefix,
			const struct counters *counters)
{
	const struct word *counter;
	__u32 i;

	for (i = 0; i < counter_names.size; i++) {
		counter = names_word(&counter_names, i);
		if (!counters->value[i] ||
		    strncmp(counter->name, prefix, strlen(prefix)))
			continue;
		print_label(label);
		colour_on(COLOUR_YELLOW);
		printf("%12llu", counters->value[i]);
		colour_off();
		fputs("  ", stdout);
		print_wrapped(REMARK_COLUMN, counter->doc);
	}
}

static void print_totals(const struct counters *counters)
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
	print_drops("dropped in", "rx-drop-", counters);
	print_drops("dropped out", "tx-drop-", counters);
}

static void print_binding(const struct binding *binding)
{
	char daddr[INET6_ADDRSTRLEN];

	print_label("SA");
	printf("%-3s  0x%08x  to %s\n", names_text(&dir_names, binding->dir),
	       binding->spi, address_text(daddr, &binding->daddr));
}

static void print_bindings(const struct snapshot *snapshot,
			   const struct conn *conn)
{
	const struct binding_list *list = &snapshot->bindings;
	size_t i;

	if (!snapshot->bindings_known) {
		print_label("SAs");
		printf("%u, hidden from you\n", conn->bindings);
	}

	for (i = 0; i < list->count; i++) {
		if (list->item[i].conn_id == conn->id)
			print_binding(&list->item[i]);
	}
}

static void print_conn(const struct snapshot *snapshot, const struct conn *conn)
{
	char esp[SIZE_STRLEN], ike[SIZE_STRLEN];

	colour_on(COLOUR_BOLD);
	printf("connection %u\n", conn->id);
	colour_off();
	print_endpoint("local", &conn->local, conn->local_port);
	print_endpoint("remote", &conn->remote, conn->remote_port);
	print_framing(&conn->framing);
	print_role(conn);
	print_state(conn);
	print_error(conn);
	print_age(conn->age);
	print_bindings(snapshot, conn);
	print_totals(&conn->counters);
	print_label("waiting");
	printf("ESP to send: %s, IKE to read: %s\n",
	       size_text(esp, conn->tx_queue),
	       size_text(ike, conn->ike_rx_queue));
	print_tcp(tcp_find(&snapshot->tcps, conn->inode));
	putchar('\n');
}

static void print_orphans(const struct binding_list *list)
{
	size_t orphans = 0;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->item[i].conn_id)
			continue;
		if (!orphans++)
			puts("without a connection (their packets are dropped)");
		print_binding(&list->item[i]);
	}
	if (orphans)
		putchar('\n');
}

/* Everything in words; the totals only if no filter hides a part of them. */
void print_snapshot(const struct snapshot *snapshot, bool all)
{
	size_t i;

	if (!snapshot->conns.count)
		puts(all ? "no connections\n" : "no such connection");
	for (i = 0; i < snapshot->conns.count; i++)
		print_conn(snapshot, &snapshot->conns.item[i]);
	if (all) {
		print_orphans(&snapshot->bindings);
		colour_on(COLOUR_BOLD);
		puts("total of the network namespace");
		colour_off();
		print_totals(&snapshot->total);
	}
	if (!snapshot->bindings_known)
		puts("\nSAs are hidden: seeing them needs CAP_NET_ADMIN. Run esptcp as root.");
}

/* Short, without blanks: "1.2M" */
static const char *short_size(char text[SIZE_STRLEN], __u64 octets)
{
	char unit;
	char *blank;

	size_text(text, octets);
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
	const struct tcp *tcp = tcp_find(&snapshot->tcps, conn->inode);
	const __u64 *value = conn->counters.value;
	char in[SIZE_STRLEN], out[SIZE_STRLEN];
	char endpoint[ADDRESS_ENDPOINT_SIZE];
	char age[AGE_STRLEN];
	char rtt[16] = "-";

	if (tcp && tcp->known)
		snprintf(rtt, sizeof(rtt), "%.1f", tcp->rtt / 1000.0);
	printf("%-6u ", conn->id);
	colour_on(state_colour(conn));
	printf("%-5s", names_text(&state_names, conn->state));
	colour_off();
	printf(" %-7s %3u %6s %6s %6s  %s\n",
	       age_text(age, conn->age / 1000, true), conn->bindings,
	       short_size(in, value[ESPTCP_A_STATS_RX_ESP_BYTES]),
	       short_size(out, value[ESPTCP_A_STATS_TX_ESP_BYTES]), rtt,
	       address_endpoint(endpoint, &conn->remote, conn->remote_port));
}

/* One line a connection, for gateways with many, and one for the SAs without */
void print_table(const struct snapshot *snapshot)
{
	size_t orphans = 0;
	size_t i;

	colour_on(COLOUR_BOLD);
	printf("%-6s %-5s %-7s %3s %6s %6s %6s  %s\n", "ID", "STATE", "AGE",
	       "SAs", "ESP-IN", "-OUT", "RTT/ms", "PEER");
	colour_off();
	for (i = 0; i < snapshot->conns.count; i++)
		print_row(snapshot, &snapshot->conns.item[i]);
	for (i = 0; i < snapshot->bindings.count; i++)
		orphans += !snapshot->bindings.item[i].conn_id;
	if (orphans)
		printf("SAs without a connection: %zu (their packets are dropped)\n",
		       orphans);
}

void print_counters(const struct counters *counters)
{
	const struct word *counter;
	__u32 i;

	for (i = 0; i < counter_names.size; i++) {
		counter = &counter_names.words[i];
		if (counter->name)
			printf("%-24s %llu\n", counter->name,
			       counters->value[i]);
	}
}

static void print_conn_event(const char *what, const struct conn *conn)
{
	const struct word *reason = names_word(&reason_names, conn->reason);
	char remote[ADDRESS_ENDPOINT_SIZE];
	char local[ADDRESS_ENDPOINT_SIZE];

	printf("%-6s  connection %u  %s - %s", what, conn->id,
	       address_endpoint(local, &conn->local, conn->local_port),
	       address_endpoint(remote, &conn->remote, conn->remote_port));
	if (conn->reason != ESPTCP_REASON_NONE)
		printf("  %s: %s", reason->name, reason->doc);
	putchar('\n');
}

static void print_rebind(const struct binding *binding)
{
	char daddr[INET6_ADDRSTRLEN];

	printf("rebind  connection %u  %s 0x%08x to %s\n", binding->conn_id,
	       names_text(&dir_names, binding->dir), binding->spi,
	       address_text(daddr, &binding->daddr));
}

/* The time of day, because events are read beside other logs */
static void print_time(void)
{
	time_t now = time(NULL);
	char text[sizeof("23:59:59")];

	strftime(text, sizeof(text), "%T", localtime(&now));
	printf("%s ", text);
}

void print_event(const struct event *event)
{
	print_time();
	switch (event->command) {
	case ESPTCP_CMD_CONN_UP_NTF:
		print_conn_event("up", &event->conn);
		break;
	case ESPTCP_CMD_CONN_DOWN_NTF:
		print_conn_event("down", &event->conn);
		break;
	case ESPTCP_CMD_REBIND_NTF:
		print_rebind(&event->binding);
		break;
	}
}
