// SPDX-License-Identifier: GPL-2.0
/*
 * Puts the segments of one direction in order, as TCP would, and finds the
 * frames. Retransmissions have to repeat what was there before: a segment that
 * says something else is no part of the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "stream.h"

#define PREFIX		"IKETCP"
#define PREFIX_LENGTH	6

/* SPIs whose sequence numbers are followed at a time */
#define RECENT_SPIS	16

/**
 * stream_start() - begin with an empty stream
 * @stream: initialised
 * @first: sequence number of its first octet
 */
void stream_start(struct stream *stream, __u32 first)
{
	memset(stream, 0, sizeof(*stream));
	stream->next = first;
}

/**
 * stream_free() - free the octets
 * @stream: the stream
 */
void stream_free(struct stream *stream)
{
	free(stream->data);
}

static void append(struct stream *stream, const __u8 *data, size_t length)
{
	stream->data = memory_grow(stream->data, stream->length, length, 1);
	memcpy(stream->data + stream->length, data, length);
	stream->length += length;
}

/* Compare what a segment repeats. TCP's keepalive may carry any one octet. */
static void compare(struct stream *stream, const struct segment *segment,
		    size_t behind)
{
	size_t repeated = segment->length < behind ? segment->length : behind;
	size_t from = stream->length - behind;

	if (segment->length <= 1 || stream->gap)
		return;
	if (behind > stream->length) {
		stream->conflicts++;
		return;
	}
	if (repeated > segment->captured)
		repeated = segment->captured;
	if (repeated && memcmp(stream->data + from, segment->payload, repeated))
		stream->conflicts++;
}

static void take(struct stream *stream, const struct segment *segment)
{
	size_t behind = stream->next - segment->seq;

	if (behind)
		compare(stream, segment, behind);
	if (behind >= segment->length)
		return;
	stream->next += segment->length - behind;
	if (!stream->gap && segment->captured > behind)
		append(stream, segment->payload + behind,
		       segment->captured - behind);
	if (segment->captured < segment->length)
		stream->gap = true;
}

static bool is_early(const struct stream *stream, const struct segment *segment)
{
	return (__s32)(segment->seq - stream->next) > 0;
}

/* Take a segment that waits and has its turn. */
static bool take_pending(struct stream *stream)
{
	const struct segment *segment;
	size_t i;

	for (i = 0; i < stream->waiting; i++) {
		segment = stream->pending[i];
		if (is_early(stream, segment))
			continue;
		stream->pending[i] = stream->pending[--stream->waiting];
		take(stream, segment);
		return true;
	}

	return false;
}

/* Too many wait: what they wait for was not captured. */
static void jump(struct stream *stream)
{
	__u32 distance = ~0u;
	size_t i;

	for (i = 0; i < stream->waiting; i++) {
		if (stream->pending[i]->seq - stream->next < distance)
			distance = stream->pending[i]->seq - stream->next;
	}
	stream->next += distance;
	stream->gap = true;
}

/**
 * stream_add() - add a segment, in the order of the capture
 * @stream: the stream
 * @segment: has to stay where it is as long as @stream does
 */
void stream_add(struct stream *stream, const struct segment *segment)
{
	if (!segment->length)
		return;
	if (!is_early(stream, segment)) {
		take(stream, segment);
	} else {
		if (stream->waiting == STREAM_PENDING) {
			jump(stream);
			take_pending(stream);
		}
		stream->pending[stream->waiting++] = segment;
	}
	while (take_pending(stream))
		;
}

/**
 * stream_is_complete() - see whether octets are missing, when all was added
 * @stream: the stream
 *
 * Return: true if none are
 */
bool stream_is_complete(const struct stream *stream)
{
	return !stream->gap && !stream->waiting;
}

static __u32 get32(const __u8 *data)
{
	return (__u32)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
}

/**
 * struct recent - the last packet of each SA
 * @spi: of the SA
 * @number: of the packet
 * @oldest: will be replaced
 */
struct recent {
	__u32 spi[RECENT_SPIS];
	__u32 number[RECENT_SPIS];
	unsigned int oldest;
};

static bool follows(struct recent *recent, __u32 spi, __u32 number)
{
	unsigned int i;
	bool next;

	for (i = 0; i < RECENT_SPIS && recent->spi[i] != spi; i++)
		;
	if (i == RECENT_SPIS) {
		i = recent->oldest++ % RECENT_SPIS;
		recent->spi[i] = spi;
		recent->number[i] = number;
		return false;
	}
	next = number == recent->number[i] + 1;
	recent->number[i] = number;

	return next;
}

/* An IKE message, an ESP packet, or a keepalive, which counts as neither */
static void count_frame(struct frames *frames, struct recent *recent,
			const __u8 *data, size_t length)
{
	if (length < 8)
		return;
	if (!get32(data)) {
		frames->ike++;
		return;
	}
	frames->esp++;
	if (follows(recent, get32(data), get32(data + 4)))
		frames->in_order++;
}

/**
 * stream_frames() - look for the frames of RFC 9329
 * @stream: the stream
 * @originator: it comes from the side that sends the prefix
 * @frames: filled
 */
void stream_frames(const struct stream *stream, bool originator,
		   struct frames *frames)
{
	const __u8 *data = stream->data;
	size_t left = stream->length;
	struct recent recent = { };
	size_t length;

	memset(frames, 0, sizeof(*frames));
	if (originator) {
		if (left < PREFIX_LENGTH ||
		    memcmp(data, PREFIX, PREFIX_LENGTH))
			return;
		frames->prefix = true;
		data += PREFIX_LENGTH;
		left -= PREFIX_LENGTH;
	}
	while (left >= 2) {
		length = data[0] << 8 | data[1];
		if (length < 2) {
			frames->bad = true;
			return;
		}
		if (length > left)
			return;
		count_frame(frames, &recent, data + 2, length - 2);
		data += length;
		left -= length;
	}
}
