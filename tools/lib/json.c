// SPDX-License-Identifier: GPL-2.0
/*
 * Prints for programs: JSON with the names and values of the netlink
 * specification, enums by name, addresses and SPIs as text.
 */
#include <stdio.h>

#include <json-c/json.h>

#include "address.h"
#include "json.h"
#include "names.h"

void json_add_number(struct json_object *object, const char *name, __u64 value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

void json_add_text(struct json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

void json_add_address(struct json_object *object, const char *name,
		      const struct address *address)
{
	char text[INET6_ADDRSTRLEN];

	json_add_text(object, name, address_text(text, address));
}

static struct json_object *new_counters(const struct counters *counters)
{
	struct json_object *object = json_object_new_object();
	const struct word *counter;
	__u32 i;

	for (i = 0; i < counter_names.size; i++) {
		counter = &counter_names.words[i];
		if (counter->name)
			json_add_number(object, counter->name, counters->value[i]);
	}

	return object;
}

static struct json_object *new_conn(const struct conn *conn)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "id", conn->id);
	framing_json(object, &conn->framing);
	json_add_text(object, "state", names_text(&state_names, conn->state));
	json_add_text(object, "reason", names_text(&reason_names, conn->reason));
	json_add_address(object, "local-addr", &conn->local);
	json_add_number(object, "local-port", conn->local_port);
	json_add_address(object, "remote-addr", &conn->remote);
	json_add_number(object, "remote-port", conn->remote_port);
	json_add_number(object, "inode", conn->inode);
	json_add_number(object, "age", conn->age);
	json_add_number(object, "tx-queue", conn->tx_queue);
	json_add_number(object, "ike-rx-queue", conn->ike_rx_queue);
	json_add_number(object, "bindings", conn->bindings);
	json_add_text(object, "role", names_text(&role_names, conn->role));
	json_add_number(object, "error", conn->error);
	json_object_object_add(object, "stats", new_counters(&conn->counters));

	return object;
}

static struct json_object *new_binding(const struct binding *binding)
{
	struct json_object *object = json_object_new_object();
	char spi[sizeof("0x01234567")];

	if (binding->conn_id)
		json_add_number(object, "conn-id", binding->conn_id);
	json_add_text(object, "dir", names_text(&dir_names, binding->dir));
	snprintf(spi, sizeof(spi), "0x%08x", binding->spi);
	json_add_text(object, "spi", spi);
	json_add_address(object, "daddr", &binding->daddr);

	return object;
}

static struct json_object *new_tcp(const struct tcp *tcp)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "rtt", tcp->rtt);
	json_add_number(object, "cwnd", tcp->cwnd);
	json_add_number(object, "mss", tcp->mss);
	json_add_number(object, "pmtu", tcp->pmtu);
	json_add_number(object, "retransmitted", tcp->retransmitted);
	json_add_number(object, "unacked", tcp->unacked);

	return object;
}

static struct json_object *new_conns(const struct snapshot *snapshot)
{
	const struct conn_list *list = &snapshot->conns;
	struct json_object *array = json_object_new_array();
	struct json_object *object;
	const struct tcp *tcp;
	size_t i;

	for (i = 0; i < list->count; i++) {
		object = new_conn(&list->item[i]);
		tcp = tcp_find(&snapshot->tcps, list->item[i].inode);
		if (tcp && tcp->known)
			json_object_object_add(object, "tcp", new_tcp(tcp));
		json_object_array_add(array, object);
	}

	return array;
}

static struct json_object *new_bindings(const struct binding_list *list)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_object_array_add(array, new_binding(&list->item[i]));

	return array;
}

void json_print(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

void json_snapshot(const struct snapshot *snapshot)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "connections",
			       new_conns(snapshot));
	if (snapshot->bindings_known)
		json_object_object_add(object, "bindings",
				       new_bindings(&snapshot->bindings));
	json_object_object_add(object, "stats", new_counters(&snapshot->total));
	json_print(object);
}

void json_counters(const struct counters *counters)
{
	json_print(new_counters(counters));
}

void json_id(__u32 id)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "id", id);
	json_print(object);
}

/* One line an event, so that a reader of the stream knows where it ends. */
void json_event(const struct event *event)
{
	struct json_object *object = json_object_new_object();

	switch (event->command) {
	case ESPTCP_CMD_CONN_UP_NTF:
		json_add_text(object, "event", "conn-up");
		json_object_object_add(object, "connection",
				       new_conn(&event->conn));
		break;
	case ESPTCP_CMD_CONN_DOWN_NTF:
		json_add_text(object, "event", "conn-down");
		json_object_object_add(object, "connection",
				       new_conn(&event->conn));
		break;
	case ESPTCP_CMD_REBIND_NTF:
		json_add_text(object, "event", "rebind");
		json_object_object_add(object, "binding",
				       new_binding(&event->binding));
		break;
	}
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
