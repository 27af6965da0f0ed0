/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The TCP connection that IKE uses, taken from a capture together with the ESP
 * that travels beside it on the same addresses.
 */
#ifndef ESPTCP_DIALOGUE_H
#define ESPTCP_DIALOGUE_H

#include "order.h"
#include "stream.h"

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
	struct order begun;
	struct order loose;
	size_t others;
	size_t fragments;
	size_t cut;
	size_t short_packets;
	char ends_early[256];
};

/**
 * struct esp - an ESP packet behind a TCP header of its own
 * @segment: that carries it
 * @spi: of its SA
 * @number: its sequence number
 * @next: octet that the stream would send next, of this direction and the other
 * @acked: octet up to which the stream was acknowledged, likewise
 * @window: of the segment of IKE that this side sent last
 * @window_known: there was one
 */
struct esp {
	const struct segment *segment;
	__u32 spi;
	__u32 number;
	__u32 next[2];
	__u32 acked[2];
	__u16 window;
	bool window_known;
};

/**
 * struct way - one direction of a dialogue
 * @first: sequence number of the stream's first octet
 * @opened: it is known
 * @acked: what the other side has acknowledged
 * @window: of the last segment of the stream
 * @window_known: there was one
 * @timestamps: segments of the stream that have the option
 * @bare: and those that have not
 * @stream: without ESP segments
 * @frames: in @stream
 * @esp: ESP segments
 * @count: how many
 * @prefixed: their payload begins with a length
 * @repeated: ESP segments that were captured several times
 * @strays: segments that are neither the stream's nor of a known SA
 * @elsewhere: ESP segments with other ports than IKE's
 */
struct way {
	__u32 first;
	bool opened;
	__u32 acked;
	__u16 window;
	bool window_known;
	size_t timestamps;
	size_t bare;
	struct stream stream;
	struct frames frames;
	struct esp *esp;
	size_t count;
	bool prefixed;
	size_t repeated;
	size_t strays;
	size_t elsewhere;
};

/**
 * struct dialogue - a TCP connection and what travels beside it
 * @syn: the segment that opened it
 * @way: from its originator, and back
 */
struct dialogue {
	const struct segment *syn;
	struct way way[2];
};

bool dialogue_repeats(const struct capture *capture, const struct segment *syn);
bool dialogue_take(struct dialogue *dialogue, const struct capture *capture,
		   const struct segment *syn);
void dialogue_free(struct dialogue *dialogue);
bool dialogue_has_esp(const struct dialogue *dialogue);
size_t capture_esp_without_syn(const struct capture *capture);

#endif /* ESPTCP_DIALOGUE_H */
