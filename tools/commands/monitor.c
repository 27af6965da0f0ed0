// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp monitor: prints the module's events until it is interrupted.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "commands.h"
#include "lib/args.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/netlink.h"

static void print_conn(const char *what, const struct conn *conn)
{
	const struct word *reason = names_word(&reason_names, conn->reason);
	char remote[ENDPOINT_STRLEN];
	char local[ENDPOINT_STRLEN];

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

/* With the time of day, because events are read beside other logs */
static void print_event(const struct event *event)
{
	time_t now = time(NULL);
	char text[sizeof("23:59:59")];

	strftime(text, sizeof(text), "%T", localtime(&now));
	printf("%s ", text);
	if (event->command == ESPTCP_CMD_REBIND_NTF)
		print_rebind(&event->binding);
	else
		print_conn(event->command == ESPTCP_CMD_CONN_UP_NTF ?
			   "up" : "down", &event->conn);
}

static __u64 milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);

	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void print_event_json(const struct event *event)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "time", milliseconds());
	if (event->command == ESPTCP_CMD_REBIND_NTF) {
		json_add_text(object, "event", "rebind");
		json_object_object_add(object, "binding",
				       binding_json(&event->binding));
	} else {
		json_add_text(object, "event",
			      event->command == ESPTCP_CMD_CONN_UP_NTF ?
			      "conn-up" : "conn-down");
		json_object_object_add(object, "connection",
				       conn_json(&event->conn));
	}
	json_print_line(object);
}

/* Whoever reads the events from a pipe wants each at once. */
int monitor_main(char **args)
{
	bool json = args_json(args);
	struct genl genl;
	int status;
	int err;

	status = args_end(args);
	if (status)
		return status;

	err = genl_open(&genl);
	if (err)
		return error_kernel(err, genl.message, NULL);

	setvbuf(stdout, NULL, _IOLBF, 0);
	err = events_subscribe(&genl);
	while (!err && !ferror(stdout)) {
		err = events_receive(&genl, json ? print_event_json :
						   print_event);
		if (err == -ENOBUFS) {
			fputs("esptcp: events were lost\n", stderr);
			err = 0;
		}
	}
	genl_close(&genl);

	return err ? error_kernel(err, genl.message, NULL) : 0;
}
