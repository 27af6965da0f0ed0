// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the packets of a capture with libpcap, and keeps the TCP segments.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "lib/memory.h"
#include "packets.h"

/**
 * packets_error() - say what is wrong with a file
 * @name: of the file
 * @remedy: what to do
 * @format: what is wrong, as for printf()
 *
 * Return: the exit status that follows
 */
int packets_error(const char *name, const char *remedy, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "esptcp: %s: ", name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n  %s\n", remedy);

	return EXIT_FAILURE;
}

static void add_segment(struct capture *capture, struct segment *segment)
{
	__u8 *payload = memory_get(segment->captured, 1);

	memcpy(payload, segment->payload, segment->captured);
	segment->payload = payload;
	if (segment->captured < segment->length)
		capture->cut++;
	capture->segment = memory_grow(capture->segment, capture->segments, 1,
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

static int read_all(struct capture *capture, pcap_t *pcap, const char *name)
{
	struct pcap_pkthdr *header;
	int link = pcap_datalink(pcap);
	const __u8 *data;
	int result;

	if (!segment_knows_link(link))
		return packets_error(name, "capture on an Ethernet device, or on \"any\"",
				  "packets of the link type %d (%s) cannot be read",
				  link, pcap_datalink_val_to_name(link) ?: "unknown");
	while ((result = pcap_next_ex(pcap, &header, &data)) == 1)
		add_packet(capture, link, header, data);
	if (result == PCAP_ERROR)
		snprintf(capture->ends_early, sizeof(capture->ends_early),
			 "%s", pcap_geterr(pcap));

	return 0;
}

/**
 * packets_read() - read a file
 * @capture: filled; to be freed by packets_free() whatever the outcome
 * @name: of the file, or "-"
 *
 * Return: 0, or the exit status after the user has been told
 */
int packets_read(struct capture *capture, const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap;
	int status;

	if (!file)
		return packets_error(name, "give the name of a file that tcpdump -w wrote",
				  "%s", strerror(errno));

	pcap = pcap_fopen_offline(file, error);
	if (!pcap) {
		fclose(file);
		return packets_error(name,
				  "it has to be a file that tcpdump -w wrote, or another in pcap or pcapng format",
				  "%s", error);
	}
	status = read_all(capture, pcap, name);
	pcap_close(pcap);
	if (!status)
		sorted_make(capture->segment, capture->segments,
			    &capture->begun, &capture->loose);

	return status;
}

/**
 * packets_free() - free what packets_read() allocated
 * @capture: filled by it
 */
void packets_free(struct capture *capture)
{
	size_t i;

	for (i = 0; i < capture->segments; i++)
		free((void *)capture->segment[i].payload);
	free(capture->segment);
	free(capture->begun.item);
	free(capture->loose.item);
}
