/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One direction of a TCP connection, put together again from a capture, and
 * the frames of RFC 9329 in it.
 */
#ifndef ESPTCP_STREAM_H
#define ESPTCP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "segment.h"

/* Segments that may wait for one before them */
#define STREAM_PENDING	64

/**
 * struct stream - octets in order
 * @next: sequence number of the octet that comes next
 * @data: what came
 * @length: octets of @data
 * @gap: behind these, octets are missing: what follows is not kept
 * @conflicts: segments that say something else than others did
 * @pending: segments that came too early
 * @waiting: how many
 */
struct stream {
	__u32 next;
	__u8 *data;
	size_t length;
	bool gap;
	size_t conflicts;
	const struct segment *pending[STREAM_PENDING];
	size_t waiting;
};

/**
 * struct frames - what a stream consists of
 * @prefix: it begins with the prefix of RFC 9329
 * @ike: IKE messages
 * @esp: ESP packets
 * @in_order: of these, so many follow another one of their SA
 * @bad: it contains what is no frame
 */
struct frames {
	bool prefix;
	size_t ike;
	size_t esp;
	size_t in_order;
	bool bad;
};

void stream_start(struct stream *stream, __u32 first);
void stream_add(struct stream *stream, const struct segment *segment);
bool stream_is_complete(const struct stream *stream);
void stream_free(struct stream *stream);
void stream_frames(const struct stream *stream, bool originator,
		   struct frames *frames);

#endif /* ESPTCP_STREAM_H */
