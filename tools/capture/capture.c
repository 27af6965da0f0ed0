// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp capture: reads a capture of IKE over TCP and says how ESP travels
 * beside it. For owners of gateways whose framing is not documented.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <pcap/pcap.h>

#include "capture.h"
#include "commands/commands.h"
#include "lib/memory.h"
#include "lib/args.h"
#include "lib/error.h"

#define RECIPE	"  capture at one of the gateways, from before IKE connects until\n" \
		"  after a rekey, with traffic in both directions all the time:\n" \
		"    tcpdump -i any -s 0 -w FILE 'host PEER and tcp and (port 4500 or port 443)'\n"

static int file_error(const char *name, const char *what, const char *remedy)
{
	fprintf(stderr, "esptcp: %s: %s\n%s", name, what, remedy);

	return EXIT_FAILURE;
}

static void *grow(void *list, size_t count, size_t size)
{
	/* room for twice as many whenever the count is a power of two */
	if (count & (count - 1))
		return list;

	return memory_resize(list, count ? count * 2 : 1, size);
}

static void add_segment(struct capture *capture, struct segment *segment)
{
	__u8 *payload = memory_get(segment->captured, 1);

	memcpy(payload, segment->payload, segment->captured);
	segment->payload = payload;
	if (segment->captured < segment->length)
		capture->cut++;
	capture->segment = grow(capture->segment, capture->segments,
				sizeof(*segment));
	capture->segment[capture->segments++] = *segment;
}

static void add_packet(struct capture *capture, int link,
		       const struct pcap_pkthdr *header, const __u8 *data)
{
	struct segment segment;

	switch (segment_parse(&segment, link, data, header->caplen,
			      header->len)) {
	case SEGMENT_IS_TCP:
		add_segment(capture, &segment);
		break;
	case SEGMENT_IS_OTHER:
		capture->others++;
		break;
	case SEGMENT_IS_FRAGMENT:
		capture->fragments++;
		break;
	case SEGMENT_IS_CUT:
		capture->short_packets++;
		break;
	}
}

static int read_packets(struct capture *capture, pcap_t *pcap, const char *name)
{
	struct pcap_pkthdr *header;
	int link = pcap_datalink(pcap);
	const __u8 *data;
	char what[128];
	int result;

	if (!segment_knows_link(link)) {
		snprintf(what, sizeof(what),
			 "packets of the link type %d (%s) cannot be read",
			 link, pcap_datalink_val_to_name(link) ?: "unknown");
		return file_error(name, what,
				  "  capture on an Ethernet device, or on \"any\"\n");
	}
	while ((result = pcap_next_ex(pcap, &header, &data)) == 1)
		add_packet(capture, link, header, data);
	if (result == PCAP_ERROR)
		snprintf(capture->ends_early, sizeof(capture->ends_early),
			 "%s", pcap_geterr(pcap));

	return 0;
}

static int read_file(struct capture *capture, const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap;
	int status;

	if (!file)
		return file_error(name, strerror(errno),
				  "  give the name of a file that tcpdump -w wrote\n");

	pcap = pcap_fopen_offline(file, error);
	if (!pcap) {
		fclose(file);
		return file_error(name, error,
				  "  it has to be a file that tcpdump -w wrote, or another in pcap or pcapng format\n");
	}
	status = read_packets(capture, pcap, name);
	pcap_close(pcap);

	return status;
}

static void free_capture(struct capture *capture)
{
	size_t i;

	for (i = 0; i < capture->segments; i++)
		free((void *)capture->segment[i].payload);
	free(capture->segment);
	free(capture->begun.item);
	free(capture->loose.item);
}

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
	size_t esp = capture_esp_without_syn(capture);
	char what[512];

	if (found->incomplete) {
		snprintf(what, sizeof(what),
			 "%zu TCP connection%s of whose stream%s octets are missing, so that ESP cannot be found there; beside it there is none",
			 found->incomplete, plural(found->incomplete),
			 plural(found->incomplete));
	} else if (found->prefixes) {
		snprintf(what, sizeof(what),
			 "%zu connection%s of IKE, but no ESP, neither in the stream nor beside it",
			 found->prefixes, plural(found->prefixes));
	} else if (found->connections) {
		snprintf(what, sizeof(what),
			 "%zu TCP connection%s, but none that begins with the prefix IKETCP or has ESP beside it",
			 found->connections, plural(found->connections));
	} else if (found->unanswered && !esp) {
		snprintf(what, sizeof(what),
			 "%zu TCP connection%s without an answer to the SYN: nobody answered, or only one direction was captured",
			 found->unanswered, plural(found->unanswered));
	} else if (capture->segments) {
		snprintf(what, sizeof(what),
			 "%zu TCP segment%s%s, but no handshake (SYN and its answer)",
			 capture->segments, plural(capture->segments),
			 esp ? ", among them ESP" : "");
	} else {
		snprintf(what, sizeof(what),
			 "no TCP segments (%zu packets of other kinds, %zu fragments, %zu cut off)",
			 capture->others, capture->fragments,
			 capture->short_packets);
	}
	if (*capture->ends_early)
		fprintf(stderr, "esptcp: %s: %s\n", name, capture->ends_early);

	return file_error(name, what, RECIPE);
}

static void show_dialogue(const struct capture *capture,
			  const struct connection *connection,
			  struct json_object *array, size_t shown)
{
	if (array) {
		json_object_array_add(array, report_json(connection));
		return;
	}
	if (shown)
		putchar('\n');
	capture_print(capture, connection);
}

static void count_dialogue(struct found *found, const struct connection *connection)
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
		count_dialogue(&found, &connection);
		if (connection_has_esp(&connection)) {
			show_dialogue(capture, &connection, array, found.shown);
			found.shown++;
		}
		connection_free(&connection);
	}
	if (found.shown && json)
		capture_json(capture, array);
	else
		json_object_put(array);

	return found.shown ? 0 : explain(capture, name, &found);
}

int capture_main(char **args)
{
	bool json = args_json(args);
	struct capture capture = { };
	const char *name;
	int status;

	name = args[0];
	if (!name || args_is_option(name))
		return args_error("the name of a file", name);
	status = args_end(args + 1);
	if (status)
		return status;

	status = read_file(&capture, name);
	if (!status) {
		sorted_make(capture.segment, capture.segments, &capture.begun,
			    &capture.loose);
		status = examine(&capture, name, json);
	}
	free_capture(&capture);

	return status;
}
