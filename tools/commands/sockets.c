// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp sockets: prints the TCP sockets of IKE and the processes that own
 * them: those that listen, and the connections.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/snapshot.h"

/**
 * struct row - a socket
 * @state: "listen", or the connection's
 * @local: address and port of this end
 * @remote: of the other end
 * @process: that owns it, or NULL
 * @conn: the connection, or NULL
 */
struct row {
	const char *state;
	char local[ENDPOINT_STRLEN];
	char remote[ENDPOINT_STRLEN];
	const struct process *process;
	const struct conn *conn;
};

static void print_row(const struct row *row)
{
	printf("%-6s ", row->state);
	if (row->process)
		printf("%-15s %7d", row->process->name, row->process->pid);
	else
		printf("%-15s %7s", "-", "-");
	printf("  %-22s %s\n", row->local, row->remote);
}

static void add_row(struct json_object *array, const struct row *row)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "state", row->state);
	json_add_text(object, "local", row->local);
	if (row->conn) {
		json_add_text(object, "remote", row->remote);
		json_add_number(object, "connection", row->conn->id);
	}
	if (row->process) {
		json_add_text(object, "process", row->process->name);
		json_add_number(object, "pid", row->process->pid);
	}
	json_object_array_add(array, object);
}

/* Any socket on IKE's port counts, and any socket of charon's. */
static bool is_ike(const struct tcp *tcp, const struct process *process)
{
	return tcp->local_port == IKE_PORT ||
		(process && process->is_charon);
}

static void handle(struct json_object *array, const struct row *row)
{
	if (array)
		add_row(array, row);
	else
		print_row(row);
}

static void show_listeners(struct json_object *array,
			   const struct tcp_list *tcps,
			   const struct process_list *processes)
{
	struct row row = { .state = "listen", .remote = "*" };
	size_t i;

	for (i = 0; i < tcps->count; i++) {
		const struct tcp *tcp = &tcps->item[i];

		row.process = process_find(processes, tcp->inode);
		if (!is_ike(tcp, row.process))
			continue;
		address_endpoint(row.local, &tcp->local, tcp->local_port);
		handle(array, &row);
	}
}

static void show_conns(struct json_object *array,
		       const struct conn_list *conns,
		       const struct process_list *processes)
{
	struct row row;
	size_t i;

	for (i = 0; i < conns->count; i++) {
		const struct conn *conn = &conns->item[i];

		row.state = names_text(&state_names, conn->state);
		row.conn = conn;
		row.process = process_find(processes, conn->inode);
		address_endpoint(row.local, &conn->local, conn->local_port);
		address_endpoint(row.remote, &conn->remote, conn->remote_port);
		handle(array, &row);
	}
}

static void show(bool json, const struct snapshot *snapshot,
		 const struct tcp_list *listeners)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	struct process_list processes;

	process_list_take(&processes);
	if (!json)
		print_coloured(COLOUR_BOLD, "%-6s %-15s %7s  %-22s %s\n",
			       "STATE", "PROCESS", "PID", "LOCAL", "PEER");
	show_listeners(array, listeners, &processes);
	show_conns(array, &snapshot->conns, &processes);
	if (json)
		json_print(array);
	free(processes.item);
}

int sockets_main(char **args)
{
	struct tcp_list listeners = { };
	bool json = args_json(args);
	struct snapshot snapshot;
	int status;
	int err;

	status = args_end(args);
	if (status)
		return status;

	err = snapshot_take(&snapshot);
	if (err)
		status = error_kernel(err, snapshot.message, NULL);
	else if (tcp_dump(TCP_STATES_LISTENING, &listeners))
		status = error_print("the kernel does not list its TCP sockets",
				     "load the module that does: modprobe tcp_diag");
	else
		show(json, &snapshot, &listeners);
	free(listeners.item);
	snapshot_free(&snapshot);

	return status;
}
