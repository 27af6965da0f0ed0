// SPDX-License-Identifier: GPL-2.0
/*
 * Asks charon for its SAs, and finds the connections that carry them. For
 * "esptcp gateways" and "esptcp tunnels".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "error.h"
#include "ike.h"
#include "json.h"
#include "names.h"
#include "print.h"
#include "vici.h"

static const struct remedy remedies[] = {
	{ ENOPKG, "install strongswan-swanctl, whose library esptcp uses" },
	{ EACCES, "only root may speak with charon: run it as root" },
	{ EPERM, "only root may speak with charon: run it as root" },
	{ ENOENT, "start strongSwan, with its plugin vici" },
	{ ECONNREFUSED, "start strongSwan, with its plugin vici" },
	{ }
};

/* What errno's of the socket to charon mean */
static const char *reason_of(int error)
{
	switch (error) {
	case -ENOPKG:
		return "there is no libvici";
	case -ENOENT:
	case -ECONNREFUSED:
		return "it does not run, or its plugin vici is not loaded";
	default:
		return strerror(-error);
	}
}

static int error_charon(int error)
{
	char what[128];

	snprintf(what, sizeof(what), "charon cannot be asked: %s",
		 reason_of(error));

	return error_print(what, error_remedy(remedies, error));
}

/* Ask charon and the module; return 0, or the exit status. */
static int take(struct ike *ike)
{
	int err;

	memset(ike, 0, sizeof(*ike));
	err = vici_open();
	if (err)
		return error_charon(err);
	ike->sas = vici_stream("list-sas", "list-sa");
	err = ike->sas ? 0 : -errno;
	vici_close();
	if (err)
		return error_charon(err);

	/* charon works without the module, by UDP */
	if (!access("/sys/module/esptcp", F_OK))
		err = snapshot_take(&ike->snapshot);

	return err ? error_kernel(err, ike->snapshot.message, NULL) : 0;
}

/**
 * ike_command() - run a command that shows charon's SAs
 * @args: its arguments
 * @show: shows those of an IKE_SA, of which it gets the name of the
 *	configuration: it adds objects to an array, or prints if that is NULL;
 *	returns how many there were
 * @nothing: what is printed if there are none
 *
 * Return: the exit status
 */
int ike_command(char **args, ike_show_fn show, const char *nothing)
{
	struct json_object *array = NULL;
	bool json = args_json(args);
	size_t i, count = 0;
	struct ike ike;
	int status;

	status = args_end(args);
	if (status)
		return status;

	status = take(&ike);
	if (!status && json)
		array = json_object_new_array();
	for (i = 0; !status && i < json_object_array_length(ike.sas); i++) {
		struct json_object *event =
			json_object_array_get_idx(ike.sas, i);

		json_object_object_foreach(event, name, sa)
			count += show(&ike, name, sa, array);
	}
	if (array)
		json_print(array);
	else if (!status && !count)
		puts(nothing);
	json_object_put(ike.sas);
	snapshot_free(&ike.snapshot);

	return status;
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
	return json_text(sa, name, "-");
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

/* Return: the connection that an IKE_SA uses, or NULL */
static const struct conn *find_conn(const struct ike *ike,
				    struct json_object *sa)
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

/* Return: the binding of a CHILD_SA's outbound SA, or NULL */
static const struct binding *find_binding(const struct ike *ike,
					  struct json_object *sa,
					  struct json_object *child)
{
	const struct binding_list *list = &ike->snapshot.bindings;
	__u32 spi = strtoul(ike_text(child, "spi-out"), NULL, 16);
	const char *peer = ike_text(sa, "remote-host");
	char text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct binding *binding = &list->item[i];

		if (binding->dir == ESPTCP_DIR_OUT && binding->spi == spi &&
		    !strcmp(address_text(text, &binding->daddr), peer))
			return binding;
	}

	return NULL;
}

static bool has_bound_child(const struct ike *ike, struct json_object *sa)
{
	struct json_object *children = json_get_object(sa, "child-sas");

	if (!children)
		return false;
	json_object_object_foreach(children, name, child) {
		(void)name;
		if (find_binding(ike, sa, child))
			return true;
	}

	return false;
}

static bool has_port(const char *path, unsigned int wanted)
{
	FILE *file = fopen(path, "r");
	bool found = false;
	unsigned int port;
	char line[512];

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*d: %*[0-9A-F]:%x", &port) == 1 &&
			port == wanted;
	if (file)
		fclose(file);

	return found;
}

static bool is_udp_port(unsigned int port)
{
	return has_port("/proc/net/udp", port) ||
		has_port("/proc/net/udp6", port);
}

/**
 * ike_transport() - find out how an IKE_SA reaches its peer
 * @ike: what ike_take() got
 * @sa: the IKE_SA
 *
 * charon does not tell. Without a connection it may be TCP nevertheless: while
 * it is opened, and when it has ended. Then an SA is bound, or the port on this
 * side is not one of UDP.
 *
 * Return: the transport
 */
struct transport ike_transport(const struct ike *ike, struct json_object *sa)
{
	const struct conn *conn = find_conn(ike, sa);

	if (conn || has_bound_child(ike, sa) ||
	    !is_udp_port(ike_number(sa, "local-port")))
		return (struct transport) { .name = "tcp", .conn = conn };

	return (struct transport) { .name = "udp" };
}

/**
 * ike_child_transport() - find out how a CHILD_SA reaches the peer
 * @ike: what ike_take() got
 * @sa: its IKE_SA
 * @child: the CHILD_SA
 *
 * What the module knows is certain; charon knows of UDP only.
 *
 * Return: the transport of the outbound SA
 */
struct transport ike_child_transport(const struct ike *ike,
				     struct json_object *sa,
				     struct json_object *child)
{
	const struct binding *binding = find_binding(ike, sa, child);

	if (binding)
		return (struct transport) {
			.name = "tcp",
			.conn = conn_find(&ike->snapshot.conns,
					  binding->conn_id),
		};

	return (struct transport) {
		.name = !strcmp(ike_text(child, "encap"), "yes") ? "udp" : "esp",
	};
}

/**
 * transport_print() - print a transport for people
 * @transport: the transport
 */
void transport_print(const struct transport *transport)
{
	print_label("transport");
	fputs(transport->name, stdout);
	if (transport->conn)
		printf(", connection %u, %s", transport->conn->id,
		       names_text(&state_names, transport->conn->state));
	else if (!strcmp(transport->name, "tcp"))
		fputs(", without a connection", stdout);
	putchar('\n');
}

/**
 * transport_json() - add a transport to an object
 * @object: the object
 * @transport: the transport
 */
void transport_json(struct json_object *object,
		    const struct transport *transport)
{
	json_add_text(object, "transport", transport->name);
	if (!transport->conn)
		return;
	json_add_number(object, "connection", transport->conn->id);
	json_add_text(object, "connection-state",
		      names_text(&state_names, transport->conn->state));
}
