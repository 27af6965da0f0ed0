// SPDX-License-Identifier: GPL-2.0
/*
 * Asks charon for its SAs, and finds the connections that carry them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "address.h"
#include "ike.h"
#include "report.h"
#include "vici.h"

static const struct remedy remedies[] = {
	{ ENOPKG, "install strongswan-swanctl, whose library esptcp uses" },
	{ EACCES, "only root may speak with charon: run it as root" },
	{ EPERM, "only root may speak with charon: run it as root" },
	{ ENOENT, "start strongSwan, with its plugin vici" },
	{ ECONNREFUSED, "start strongSwan, with its plugin vici" },
	{ }
};

/**
 * ike_take() - ask charon and the module
 * @ike: filled; to be freed by ike_free() whatever the outcome
 *
 * Return: 0, or the exit status after the user has been told
 */
int ike_take(struct ike *ike)
{
	int err;

	memset(ike, 0, sizeof(*ike));
	err = vici_open();
	if (err)
		return charon_error(err, remedies);
	ike->sas = vici_stream("list-sas", "list-sa");
	err = ike->sas ? 0 : -errno;
	vici_close();
	if (err)
		return charon_error(err, remedies);

	/* charon works without the module, by UDP */
	return access("/sys/module/esptcp", F_OK) ? 0 :
		snapshot_take(&ike->snapshot);
}

/**
 * ike_free() - free what ike_take() got
 * @ike: filled by it
 */
void ike_free(struct ike *ike)
{
	json_object_put(ike->sas);
	snapshot_free(&ike->snapshot);
}

/**
 * ike_each() - call a function for each IKE_SA
 * @ike: what ike_take() got
 * @visit: gets the name of its configuration
 * @arg: handed to @visit
 */
void ike_each(const struct ike *ike,
	      void (*visit)(const struct ike *ike, const char *name,
			    struct json_object *sa, void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < json_object_array_length(ike->sas); i++) {
		struct json_object *event =
			json_object_array_get_idx(ike->sas, i);

		json_object_object_foreach(event, name, sa)
			visit(ike, name, sa, arg);
	}
}

/**
 * ike_text() - a value of an SA
 * @sa: IKE_SA or CHILD_SA
 * @name: of the value
 *
 * Return: the value, or a minus sign if there is none
 */
const char *ike_text(struct json_object *sa, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(sa, name, &value))
		return "-";

	return json_object_get_string(value);
}

/**
 * ike_number() - a value of an SA
 * @sa: IKE_SA or CHILD_SA
 * @name: of the value
 *
 * Return: the value, or 0 if there is none
 */
__u64 ike_number(struct json_object *sa, const char *name)
{
	return strtoull(ike_text(sa, name), NULL, 10);
}

static bool is_at(const struct address *address, __u16 port,
		  struct json_object *sa, const char *host_name,
		  const char *port_name)
{
	char text[INET6_ADDRSTRLEN];

	return port == ike_number(sa, port_name) &&
		!strcmp(address_text(text, address), ike_text(sa, host_name));
}

/**
 * ike_conn() - find the connection of an IKE_SA
 * @ike: what ike_take() got
 * @sa: the IKE_SA
 *
 * Return: the connection, or NULL if IKE uses UDP
 */
const struct conn *ike_conn(const struct ike *ike, struct json_object *sa)
{
	const struct conn_list *list = &ike->snapshot.conns;
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct conn *conn = &list->item[i];

		if (is_at(&conn->local, conn->local_port, sa, "local-host",
			  "local-port") &&
		    is_at(&conn->remote, conn->remote_port, sa, "remote-host",
			  "remote-port"))
			return conn;
	}

	return NULL;
}

/**
 * ike_child_conn() - find the connection of a CHILD_SA
 * @ike: what ike_take() got
 * @child: the CHILD_SA
 *
 * Return: the connection that its outbound SA is bound to, or NULL
 */
const struct conn *ike_child_conn(const struct ike *ike,
				  struct json_object *child)
{
	const struct binding_list *list = &ike->snapshot.bindings;
	__u32 spi = strtoul(ike_text(child, "spi-out"), NULL, 16);
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->item[i].dir == ESPTCP_DIR_OUT &&
		    list->item[i].spi == spi)
			return snapshot_conn(&ike->snapshot,
					     list->item[i].conn_id);
	}

	return NULL;
}
