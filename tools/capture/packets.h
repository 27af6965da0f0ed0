/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets of a capture.
 */
#ifndef ESPTCP_PACKETS_H
#define ESPTCP_PACKETS_H

#include "sorted.h"

/**
 * struct capture - what a file contains
 * @segment: TCP segments, in the order in which they were captured
 * @segments: how many
 * @begun: those of connections whose beginning was captured
 * @loose: others that carry something
 * @others: packets that are not TCP
 * @fragments: fragments of IP packets
 * @cut: segments of which a part only was captured
 * @short_packets: packets of which not even TCP's header was
 * @ends_early: why the file could not be read to its end, or ""
 */
struct capture {
	struct segment *segment;
	size_t segments;
	struct sorted begun;
	struct sorted loose;
	size_t others;
	size_t fragments;
	size_t cut;
	size_t short_packets;
	char ends_early[256];
};

[[gnu::format(printf, 3, 4)]]
int packets_error(const char *name, const char *remedy, const char *format, ...);
int packets_read(struct capture *capture, const char *name);
void packets_free(struct capture *capture);

#endif /* ESPTCP_PACKETS_H */
