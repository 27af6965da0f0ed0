// SPDX-License-Identifier: GPL-2.0
/*
 * Prints for people: lines of at most 80 columns, a label before each value.
 */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "names.h"
#include "print.h"

#define COLUMNS		80
#define VALUE_COLUMN	14
#define REMARK_COLUMN	28

/* Print a label, so that the value begins in VALUE_COLUMN. */
static void print_label(const char *label)
{
	printf("  %-*s", VALUE_COLUMN - 2, label);
}

/* Print text from a column on, broken at blanks, and end the line. */
static void print_wrapped(unsigned int column, const char *text)
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

static void print_size(__u64 octets)
{
	static const char units[] = "KMGTPE";
	double size = octets / 1024.0;
	unsigned int i = 0;

	if (octets < 1024) {
		printf("%llu B", octets);
		return;
	}
	while (size >= 1024) {
		size /= 1024;
		i++;
	}
	printf("%.2f %ciB", size, units[i]);
}

static void print_age(__u64 milliseconds)
{
	__u64 seconds = milliseconds / 1000;
	__u64 minutes = seconds / 60;
	__u64 hours = minutes / 60;

	print_label("age");
	if (hours >= 24)
		printf("%llu d %llu h\n", hours / 24, hours % 24);
	else if (hours)
		printf("%llu h %llu min\n", hours, minutes % 60);
	else if (minutes)
		printf("%llu min %llu s\n", minutes,
		       seconds % 60);
	else
		printf("%llu s\n", seconds);
}

static void print_endpoint(const char *label, const struct address *address,
			   __u16 port)
{
	char text[ENDPOINT_STRLEN];

	print_label(label);
	puts(endpoint_text(text, address, port));
}

static void print_state(const struct conn *conn)
{
	const struct word *reason = word_of(&reason_names, conn->reason);
	char text[256];

	print_label("state");
	if (conn->reason == ESPTCP_REASON_NONE) {
		puts(name_of(&state_names, conn->state));
		return;
	}
	snprintf(text, sizeof(text), "%s (%s): %s",
		 name_of(&state_names, conn->state), reason->name,
		 reason->doc);
	print_wrapped(VALUE_COLUMN, text);
}

static void print_traffic(const char *label, __u64 frames, __u64 octets)
{
	print_label(label);
	printf("%12llu frames   ", frames);
	print_size(octets);
	putchar('\n');
}

static void print_drops(const char *label, const char *prefix,
			const struct counters *counters)
{
	const struct word *counter;
	__u32 i;

	for (i = 0; i < counter_names.size; i++) {
		counter = word_of(&counter_names, i);
		if (!counters->value[i] ||
		    strncmp(counter->name, prefix, strlen(prefix)))
			continue;
		print_label(label);
		printf("%12llu  ", counters->value[i]);
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

	print_label("binding");
	printf("%-3s  0x%08x  to %s\n", name_of(&dir_names, binding->dir),
	       binding->spi, address_text(daddr, &binding->daddr));
}

static void print_bindings(const struct snapshot *snapshot,
			   const struct conn *conn)
{
	const struct binding_list *list = &snapshot->bindings;
	size_t i;

	if (!snapshot->bindings_known) {
		print_label("bindings");
		printf("%u (only root may see them)\n", conn->bindings);
	}

	for (i = 0; i < list->count; i++) {
		if (list->item[i].conn_id == conn->id)
			print_binding(&list->item[i]);
	}
}

static void print_conn(const struct snapshot *snapshot, const struct conn *conn)
{
	printf("connection %u\n", conn->id);
	print_endpoint("local", &conn->local, conn->local_port);
	print_endpoint("remote", &conn->remote, conn->remote_port);
	print_label("framing");
	puts(name_of(&framing_names, conn->framing));
	print_state(conn);
	print_age(conn->age);
	print_bindings(snapshot, conn);
	print_totals(&conn->counters);
	print_label("queued");
	print_size(conn->tx_queue);
	fputs(" of ESP to send, IKE to read in ", stdout);
	print_size(conn->ike_rx_queue);
	puts(" of memory\n");
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

void print_snapshot(const struct snapshot *snapshot)
{
	size_t i;

	if (!snapshot->conns.count)
		puts("no connections\n");
	for (i = 0; i < snapshot->conns.count; i++)
		print_conn(snapshot, &snapshot->conns.item[i]);
	print_orphans(&snapshot->bindings);

	puts("total of the network namespace");
	print_totals(&snapshot->total);
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
	const struct word *reason = word_of(&reason_names, conn->reason);
	char remote[ENDPOINT_STRLEN];
	char local[ENDPOINT_STRLEN];

	printf("%-6s  connection %u  %s - %s", what, conn->id,
	       endpoint_text(local, &conn->local, conn->local_port),
	       endpoint_text(remote, &conn->remote, conn->remote_port));
	if (conn->reason != ESPTCP_REASON_NONE)
		printf("  %s: %s", reason->name, reason->doc);
	putchar('\n');
}

static void print_rebind(const struct binding *binding)
{
	char daddr[INET6_ADDRSTRLEN];

	printf("rebind  connection %u  %s 0x%08x to %s\n", binding->conn_id,
	       name_of(&dir_names, binding->dir), binding->spi,
	       address_text(daddr, &binding->daddr));
}

void print_event(const struct event *event)
{
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
