/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The TCP connection that IKE uses, taken from a capture together with the ESP
 * that travels beside it on the same addresses.
 */
#ifndef ESPTCP_CONNECTION_H
#define ESPTCP_CONNECTION_H

#include "packets.h"
#include "stream.h"

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
 * struct way - one direction of a connection
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
 * struct connection - a TCP connection and what travels beside it
 * @syn: the segment that opened it
 * @way: from its originator, and back
 */
struct connection {
	const struct segment *syn;
	struct way way[2];
};

bool connection_repeats(const struct capture *capture, const struct segment *syn);
bool connection_take(struct connection *connection, const struct capture *capture,
		     const struct segment *syn);
void connection_free(struct connection *connection);
bool connection_has_esp(const struct connection *connection);
size_t connection_esp_elsewhere(const struct capture *capture);

#endif /* ESPTCP_CONNECTION_H */
