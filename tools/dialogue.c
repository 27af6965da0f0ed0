// SPDX-License-Identifier: GPL-2.0
/*
 * Divides a TCP connection's segments into IKE's stream and ESP packets behind
 * TCP headers of their own. Nothing but the packets is known, so an SA is what
 * looks like one: payloads that begin with the same four octets, followed by a
 * number that goes up by one.
 */
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"

/* So many packets that follow one another make an SA. */
#define ENOUGH_STEPS	2

/* RFC 4303 reserves those below. */
#define SMALLEST_SPI	256

/**
 * struct candidate - a segment that may carry ESP
 * @spi: what its SPI would be
 * @number: what its sequence number would be
 * @index: of the segment
 */
struct candidate {
	__u32 spi;
	__u32 number;
	size_t index;
};

/**
 * enum kind - what a segment is
 */
enum kind { KIND_FOREIGN, KIND_STREAM, KIND_ESP, KIND_REPEATED };

/**
 * struct mark - what is known about a segment of the capture
 * @kind: what it is
 * @way: in which direction of the dialogue
 * @spi: of an ESP packet
 * @number: of an ESP packet
 */
struct mark {
	enum kind kind;
	int way;
	__u32 spi;
	__u32 number;
};

static __u32 get32(const __u8 *data)
{
	return (__u32)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
}

static bool same_address(const struct address *a, const struct address *b)
{
	return a->len == b->len && !memcmp(a->octets, b->octets, a->len);
}

static bool is_from(const struct segment *segment, const struct address *from,
		    const struct address *to)
{
	return same_address(&segment->from, from) &&
		same_address(&segment->to, to);
}

/* The direction of a segment with the ports of a connection, or -1 */
static int way_of(const struct segment *syn, const struct segment *segment)
{
	if (is_from(segment, &syn->from, &syn->to) &&
	    segment->from_port == syn->from_port &&
	    segment->to_port == syn->to_port)
		return 0;
	if (is_from(segment, &syn->to, &syn->from) &&
	    segment->from_port == syn->to_port &&
	    segment->to_port == syn->from_port)
		return 1;

	return -1;
}

/* Whether the capture shows how the connection of a segment was opened */
static bool has_syn(const struct capture *capture,
		    const struct segment *segment)
{
	size_t i;

	for (i = 0; i < capture->syns; i++) {
		if (way_of(&capture->segment[capture->syn[i]], segment) >= 0)
			return true;
	}

	return false;
}

/* The direction of a segment that has the addresses, but other ports */
static int way_elsewhere(const struct capture *capture,
			 const struct segment *syn,
			 const struct segment *segment)
{
	int way;

	if (is_from(segment, &syn->from, &syn->to))
		way = 0;
	else if (is_from(segment, &syn->to, &syn->from))
		way = 1;
	else
		return -1;

	return has_syn(capture, segment) ? -1 : way;
}

/* Mark what belongs to the dialogue, which ends where its ports are used again. */
static void mark_all(const struct capture *capture, size_t first,
		     struct mark *mark)
{
	const struct segment *syn = &capture->segment[first];
	bool ended = false;
	size_t i;
	int way;

	for (i = first; i < capture->segments; i++) {
		const struct segment *segment = &capture->segment[i];

		way = way_of(syn, segment);
		if (segment_opens(segment) && way == 0 && segment->seq != syn->seq)
			ended = true;
		if (ended)
			return;
		if (way < 0 && segment->length)
			way = way_elsewhere(capture, syn, segment);
		if (way < 0)
			continue;
		mark[i].kind = KIND_STREAM;
		mark[i].way = way;
	}
}

/* The place of a packet's SPI, if it may be ESP that begins there */
static bool may_be_esp(const struct segment *segment, __u32 offset)
{
	__u32 length;

	if (segment->flags & SEGMENT_SYN || segment->captured < offset + 8)
		return false;
	if (offset) {
		/* the length may count itself or not */
		length = segment->payload[0] << 8 | segment->payload[1];
		if (length != segment->length && length != segment->length - 2)
			return false;
	}

	return get32(segment->payload + offset) >= SMALLEST_SPI;
}

static int by_spi(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->spi != right->spi)
		return left->spi < right->spi ? -1 : 1;

	return left->index < right->index ? -1 : left->index > right->index;
}

/* Whether packets with the same SPI are of an SA */
static bool is_sa(const struct candidate *candidate, size_t count)
{
	size_t steps = 0, others = 0, same = 0;
	size_t i;

	for (i = 1; i < count; i++) {
		__u32 step = candidate[i].number - candidate[i - 1].number;

		if (step == 1)
			steps++;
		else if (step)
			others++;
		else
			same++;
	}

	/* frames of the same length in a stream begin alike, too */
	return steps >= ENOUGH_STEPS && steps >= others && steps * 4 >= same;
}

/* Where there is one SA, there may be another that is too young to be sure:
 * its first packets. A frame of IKE has zeros where the SPI ends.
 */
static bool is_young_sa(const struct candidate *candidate, size_t count)
{
	return candidate[0].number == 1 && candidate[0].spi & 0xffff &&
		(count == 1 || (count == 2 && candidate[1].number <= 2));
}

/* Whoever captures on several devices sees a packet several times. */
static void mark_sa(struct mark *mark, const struct candidate *candidate,
		    size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		struct mark *this = &mark[candidate[i].index];

		this->kind = KIND_ESP;
		this->spi = candidate[i].spi;
		this->number = candidate[i].number;
		for (j = i; j-- > 0 && i - j <= 8;) {
			if (candidate[j].number == candidate[i].number)
				this->kind = KIND_REPEATED;
		}
	}
}

/* Mark the SAs among candidates that are sorted; return whether there are any. */
static bool mark_sas(struct mark *mark, const struct candidate *candidate,
		     size_t count,
		     bool (*test)(const struct candidate *candidate,
				  size_t count))
{
	bool any = false;
	size_t i, end;

	for (i = 0; i < count; i = end) {
		end = i;
		while (end < count && candidate[end].spi == candidate[i].spi)
			end++;
		if (!test(candidate + i, end - i))
			continue;
		mark_sa(mark, candidate + i, end - i);
		any = true;
	}

	return any;
}

/* Find the SAs of a direction whose packets begin at an offset in the payload.
 * Return: whether there are any.
 */
static bool mark_esp(const struct capture *capture, struct mark *mark, int way,
		     __u32 offset)
{
	struct candidate *candidate;
	size_t count = 0;
	size_t i;
	bool any;

	candidate = calloc(capture->segments, sizeof(*candidate));
	if (!candidate)
		abort();
	for (i = 0; i < capture->segments; i++) {
		const struct segment *segment = &capture->segment[i];

		if (mark[i].kind != KIND_STREAM || mark[i].way != way ||
		    !may_be_esp(segment, offset))
			continue;
		candidate[count].spi = get32(segment->payload + offset);
		candidate[count].number = get32(segment->payload + offset + 4);
		candidate[count++].index = i;
	}
	qsort(candidate, count, sizeof(*candidate), by_spi);
	any = mark_sas(mark, candidate, count, is_sa);
	if (any)
		mark_sas(mark, candidate, count, is_young_sa);
	free(candidate);

	return any;
}

/* Whether a direction is a stream and nothing else, with ESP in its frames */
static bool is_esp_in_stream(const struct capture *capture,
			     const struct mark *mark, int way, __u32 first)
{
	struct stream stream;
	struct frames frames;
	size_t i;

	stream_start(&stream, first);
	for (i = 0; i < capture->segments; i++) {
		if (mark[i].kind == KIND_STREAM && mark[i].way == way &&
		    !(capture->segment[i].flags & SEGMENT_SYN))
			stream_add(&stream, &capture->segment[i]);
	}
	stream_frames(&stream, way == 0, &frames);
	stream_free(&stream);

	return !stream.conflicts && !frames.bad &&
		frames.in_order >= ENOUGH_STEPS;
}

static void add_esp(struct dialogue *dialogue, const struct mark *mark,
		    const struct segment *segment)
{
	struct way *way = &dialogue->way[mark->way];
	struct way *back = &dialogue->way[!mark->way];

	way->esp[way->count++] = (struct esp) {
		.segment = segment,
		.spi = mark->spi,
		.number = mark->number,
		.next = { way->stream.next, back->stream.next },
		.acked = { way->acked, back->acked },
		.window = way->window,
		.window_known = way->window_known,
	};
	if (way_of(dialogue->syn, segment) < 0)
		way->elsewhere++;
}

/* A segment of the TCP connection itself */
static void add_stream(struct dialogue *dialogue, int direction,
		       const struct segment *segment)
{
	struct way *way = &dialogue->way[direction];
	struct way *back = &dialogue->way[!direction];

	if (way_of(dialogue->syn, segment) < 0) {
		way->strays++;
		return;
	}
	if (segment->flags & SEGMENT_ACK && back->opened &&
	    (__s32)(segment->ack - back->acked) > 0)
		back->acked = segment->ack;
	if (segment->flags & SEGMENT_SYN) {
		if (!way->opened)
			stream_start(&way->stream, segment->seq + 1);
		way->opened = true;
		way->first = segment->seq + 1;
		way->acked = way->first;
		return;
	}
	if (segment->flags & SEGMENT_RST || !way->opened)
		return;
	way->window = segment->window;
	way->window_known = true;
	if (segment->timestamps)
		way->timestamps++;
	else
		way->bare++;
	stream_add(&way->stream, segment);
}

static void add_all(struct dialogue *dialogue, const struct capture *capture,
		    const struct mark *mark)
{
	size_t i;

	for (i = 0; i < capture->segments; i++) {
		const struct segment *segment = &capture->segment[i];

		switch (mark[i].kind) {
		case KIND_FOREIGN:
			break;
		case KIND_STREAM:
			add_stream(dialogue, mark[i].way, segment);
			break;
		case KIND_ESP:
			add_esp(dialogue, &mark[i], segment);
			break;
		case KIND_REPEATED:
			dialogue->way[mark[i].way].repeated++;
			break;
		}
	}
}

/* Return: the sequence number of the answer's first octet, if there is one */
static bool find_answer(const struct capture *capture, const struct mark *mark,
			__u32 *first)
{
	const struct segment *segment = capture->segment;
	size_t i;

	for (i = 0; i < capture->segments; i++) {
		if (mark[i].kind == KIND_STREAM && mark[i].way == 1 &&
		    segment[i].flags & SEGMENT_SYN) {
			*first = segment[i].seq + 1;
			return true;
		}
	}

	return false;
}

/**
 * dialogue_repeats() - see whether a connection was opened before
 * @capture: the capture
 * @syn: index of the segment that opens it, in the list of such
 *
 * Return: true if it was: the segment is a retransmission, or was captured twice
 */
bool dialogue_repeats(const struct capture *capture, size_t syn)
{
	const struct segment *this = &capture->segment[capture->syn[syn]];
	size_t i;

	for (i = 0; i < syn; i++) {
		const struct segment *other = &capture->segment[capture->syn[i]];

		if (!way_of(other, this) && other->seq == this->seq)
			return true;
	}

	return false;
}

/**
 * dialogue_take() - take a connection out of a capture
 * @dialogue: filled; to be freed by dialogue_free() if this returns true
 * @capture: has to stay as long as @dialogue does
 * @syn: the segment that opened the connection
 *
 * Return: whether the connection came about
 */
bool dialogue_take(struct dialogue *dialogue, const struct capture *capture,
		   size_t syn)
{
	struct mark *mark = calloc(capture->segments, sizeof(*mark));
	__u32 first[2] = { capture->segment[syn].seq + 1 };
	bool answered;
	int way;

	if (!mark)
		abort();
	memset(dialogue, 0, sizeof(*dialogue));
	dialogue->syn = &capture->segment[syn];
	mark_all(capture, syn, mark);
	answered = find_answer(capture, mark, &first[1]);
	for (way = 0; way < 2 && answered; way++) {
		struct way *this = &dialogue->way[way];

		if (!mark_esp(capture, mark, way, 0) &&
		    !is_esp_in_stream(capture, mark, way, first[way]))
			this->prefixed = mark_esp(capture, mark, way, 2);
		this->esp = calloc(capture->segments, sizeof(*this->esp));
		if (!this->esp)
			abort();
	}
	if (answered)
		add_all(dialogue, capture, mark);
	for (way = 0; way < 2 && answered; way++) {
		struct way *this = &dialogue->way[way];

		stream_frames(&this->stream, way == 0, &this->frames);
		this->strays += this->stream.conflicts;
	}
	free(mark);

	return answered;
}

/**
 * dialogue_free() - free what dialogue_take() allocated
 * @dialogue: the dialogue
 */
void dialogue_free(struct dialogue *dialogue)
{
	int way;

	for (way = 0; way < 2; way++) {
		stream_free(&dialogue->way[way].stream);
		free(dialogue->way[way].esp);
	}
}

/**
 * dialogue_has_esp() - see whether there is ESP, of whatever framing
 * @dialogue: the dialogue
 *
 * Return: true if there is
 */
bool dialogue_has_esp(const struct dialogue *dialogue)
{
	const struct way *way = dialogue->way;

	return way[0].count || way[1].count ||
		way[0].frames.in_order >= ENOUGH_STEPS ||
		way[1].frames.in_order >= ENOUGH_STEPS;
}

/**
 * capture_esp_without_syn() - count ESP of connections that began too early
 * @capture: the capture
 *
 * Return: number of packets that look like ESP behind a TCP header, whatever
 * their ports and addresses
 */
size_t capture_esp_without_syn(const struct capture *capture)
{
	struct mark *mark = calloc(capture->segments + 1, sizeof(*mark));
	size_t found = 0;
	__u32 offset;
	size_t i;

	if (!mark)
		abort();
	for (i = 0; i < capture->segments; i++)
		mark[i].kind = KIND_STREAM;
	for (offset = 0; offset <= 2; offset += 2)
		mark_esp(capture, mark, 0, offset);
	for (i = 0; i < capture->segments; i++)
		found += mark[i].kind == KIND_ESP;
	free(mark);

	return found;
}
