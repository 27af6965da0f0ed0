// SPDX-License-Identifier: GPL-2.0
/*
 * Connections and bindings as JSON: names and values of the netlink
 * specification, enums by name, addresses and SPIs as text.
 */
#include <stdio.h>

#include "conn.h"
#include "json.h"
#include "names.h"

/**
 * conn_find() - find a connection by its number
 * @list: where to look
 * @id: the number
 *
 * Return: the connection, or NULL
 */
const struct conn *conn_find(const struct conn_list *list, __u32 id)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->item[i].id == id)
			return &list->item[i];
	}

	return NULL;
}

struct json_object *conn_json(const struct conn *conn)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "id", conn->id);
	framing_json(object, &conn->framing);
	json_add_text(object, "state", names_text(&state_names, conn->state));
	json_add_text(object, "reason",
		      names_text(&reason_names, conn->reason));
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
	json_object_object_add(object, "stats", counters_json(&conn->counters));

	return object;
}

struct json_object *binding_json(const struct binding *binding)
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
