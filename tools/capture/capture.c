// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp capture: reads a capture of IKE over TCP and says how ESP travels
 * beside it. For owners of gateways whose framing is not documented.
 */
#include <stdio.h>

#include "commands/commands.h"
#include "lib/args.h"
#include "lib/json.h"
#include "report.h"

#define RECIPE	"capture at one of the gateways, from before IKE connects until\n" \
		"  after a rekey, with traffic in both directions all the time:\n" \
		"    tcpdump -i any -s 0 -w FILE 'host PEER and tcp and (port 4500 or port 443)'"

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/**
 * struct found - the TCP connections of a capture
 * @unanswered: a SYN, but no answer to it
 * @connections: those that came about
 * @prefixes: of these, those of IKE
 * @incomplete: of the connections, those of whose stream octets are missing
 * @shown: those with ESP
 */
struct found {
	size_t unanswered;
	size_t connections;
	size_t prefixes;
	size_t incomplete;
	size_t shown;
};

/* There is no IKE connection with ESP: what is there instead? */
static int explain(const struct capture *capture, const char *name,
		   const struct found *found)
{
	size_t esp = connection_esp_elsewhere(capture);

	if (*capture->ends_early)
		fprintf(stderr, "esptcp: %s: %s\n", name, capture->ends_early);
	if (found->incomplete)
		return packets_error(name, RECIPE,
				  "%zu TCP connection%s of whose stream%s octets are missing, so that ESP cannot be found there; beside it there is none",
				  found->incomplete, plural(found->incomplete),
				  plural(found->incomplete));
	if (found->prefixes)
		return packets_error(name, RECIPE,
				  "%zu connection%s of IKE, but no ESP, neither in the stream nor beside it",
				  found->prefixes, plural(found->prefixes));
	if (found->connections)
		return packets_error(name, RECIPE,
				  "%zu TCP connection%s, but none that begins with the prefix IKETCP or has ESP beside it",
				  found->connections, plural(found->connections));
	if (found->unanswered && !esp)
		return packets_error(name, RECIPE,
				  "%zu TCP connection%s without an answer to the SYN: nobody answered, or only one direction was captured",
				  found->unanswered, plural(found->unanswered));
	if (capture->segments)
		return packets_error(name, RECIPE,
				  "%zu TCP segment%s%s, but no handshake (SYN and its answer)",
				  capture->segments, plural(capture->segments),
				  esp ? ", among them ESP" : "");

	return packets_error(name, RECIPE,
			  "no TCP segments (%zu packets of other kinds, %zu fragments, %zu cut off)",
			  capture->others, capture->fragments,
			  capture->short_packets);
}

static void show_connection(const struct capture *capture,
			    const struct connection *connection,
			    struct json_object *array, size_t shown)
{
	if (array) {
		json_object_array_add(array, report_connection(connection));
		return;
	}
	if (shown)
		putchar('\n');
	report_print(capture, connection);
}

static void count_connection(struct found *found,
			     const struct connection *connection)
{
	const struct way *way = connection->way;

	found->connections++;
	found->prefixes += way[0].frames.prefix;
	found->incomplete += !stream_is_complete(&way[0].stream) ||
			     !stream_is_complete(&way[1].stream);
}

/* Show what matters: IKE's connections with ESP, and if there is none, why. One
 * after the other: the same ESP may be beside many.
 */
static int examine(const struct capture *capture, const char *name, bool json)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	struct found found = { };
	size_t i;

	for (i = 0; i < capture->segments; i++) {
		const struct segment *segment = &capture->segment[i];
		struct connection connection;

		if (!segment_opens(segment) ||
		    connection_repeats(capture, segment))
			continue;
		if (!connection_take(&connection, capture, segment)) {
			found.unanswered++;
			continue;
		}
		count_connection(&found, &connection);
		if (connection_has_esp(&connection))
			show_connection(capture, &connection, array,
					found.shown++);
		connection_free(&connection);
	}
	if (found.shown && json)
		report_json(capture, array);
	else
		json_object_put(array);

	return found.shown ? 0 : explain(capture, name, &found);
}

int capture_main(char **args)
{
	bool json = args_json(args);
	struct capture capture = { };
	const char *name = args[0];
	int status;

	if (!name || args_is_option(name))
		return args_error("the name of a file", name);
	status = args_end(args + 1);
	if (status)
		return status;

	status = packets_read(&capture, name);
	if (!status)
		status = examine(&capture, name, json);
	packets_free(&capture);

	return status;
}
