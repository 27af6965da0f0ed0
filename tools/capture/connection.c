// SPDX-License-Identifier: GPL-2.0
/*
 * Divides a TCP connection's segments into IKE's stream and ESP packets behind
 * TCP headers of their own. Nothing but the packets is known, so an SA is what
 * looks like one: payloads that begin with the same four octets, followed by a
 * number that goes up by one.
 */
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "lib/memory.h"

/* So many packets that follow one another make an SA. */
#define ENOUGH_STEPS	2

/* RFC 4303 reserves those below. */
#define SMALLEST_SPI	256

/**
 * enum kind - what a segment is
 */
enum kind { KIND_STREAM, KIND_ESP, KIND_REPEATED };

/**
 * struct mark - what is known about a segment of the connection
 * @segment: the segment
 * @kind: what it is
 * @way: in which direction of the connection
 * @spi: of an ESP packet
 * @number: of an ESP packet
 */
struct mark {
	const struct segment *segment;
	enum kind kind;
	int way;
	__u32 spi;
	__u32 number;
};

/**
 * struct marks - the segments of a connection, oldest first
 * @item: the segments
 * @count: how many
 */
struct marks {
	struct mark *item;
	size_t count;
};

/**
 * struct candidate - a segment that may carry ESP
 * @spi: what its SPI would be
 * @number: what its sequence number would be
 * @mark: of the segment
 */
struct candidate {
	__u32 spi;
	__u32 number;
	struct mark *mark;
};

static __u32 get32(const __u8 *data)
{
	return (__u32)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
}

static bool is_from(const struct segment *segment, const struct address *from,
		    const struct address *to)
{
	return address_equal(&segment->from, from) &&
	       address_equal(&segment->to, to);
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

/* The direction of a segment that has the addresses, whatever its ports */
static int way_elsewhere(const struct segment *syn,
			 const struct segment *segment)
{
	return is_from(segment, &syn->from, &syn->to) ? 0 : 1;
}

static void add_mark(struct marks *marks, const struct segment *segment,
		     int way)
{
	marks->item[marks->count++] = (struct mark) {
		.segment = segment,
		.kind = KIND_STREAM,
		.way = way,
	};
}

/* The ports are used again: another connection begins. */
static bool ends(const struct segment *syn, const struct segment *segment)
{
	return segment_opens(segment) && !way_of(syn, segment) &&
		segment->seq != syn->seq;
}

static int by_time(const void *a, const void *b)
{
	const struct mark *left = a, *right = b;

	return left->segment < right->segment ? -1 :
		left->segment > right->segment;
}

/* Collect what belongs to a connection: its own segments, until its ports are used
 * again, and segments that may be ESP beside it.
 */
static void collect(struct marks *marks, const struct capture *capture,
		    const struct segment *syn)
{
	const struct sorted *begun = &capture->begun, *loose = &capture->loose;
	size_t first = sorted_find(begun, syn, true), own = first;
	size_t other = sorted_find(loose, syn, false), beside = other;
	const struct segment *end = NULL;

	while (sorted_has(begun, own, syn, true) && !ends(syn, begun->item[own]))
		own++;
	if (sorted_has(begun, own, syn, true))
		end = begun->item[own];
	while (sorted_has(loose, beside, syn, false) &&
	       (!end || loose->item[beside] < end))
		beside++;

	marks->count = 0;
	marks->item = memory_get(own - first + beside - other,
				 sizeof(*marks->item));
	for (; first < own; first++)
		add_mark(marks, begun->item[first],
			 way_of(syn, begun->item[first]));
	for (; other < beside; other++)
		add_mark(marks, loose->item[other],
			 way_elsewhere(syn, loose->item[other]));
	qsort(marks->item, marks->count, sizeof(*marks->item), by_time);
}

/* The place of a packet's SPI, if it may be ESP that begins there */
static bool may_be_esp(const struct segment *segment, __u32 offset)
{
	__u32 length;

	if (segment->flags & TH_SYN || segment->captured < offset + 8)
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

	return left->mark < right->mark ? -1 : left->mark > right->mark;
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
static void mark_sa(const struct candidate *candidate, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++) {
		struct mark *this = candidate[i].mark;

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
static bool mark_sas(const struct candidate *candidate, size_t count,
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
		mark_sa(candidate + i, end - i);
		any = true;
	}

	return any;
}

/* Find the SAs of a direction whose packets begin at an offset in the payload.
 * Return: whether there are any.
 */
static bool mark_esp(struct marks *marks, int way, __u32 offset)
{
	struct candidate *candidate;
	size_t count = 0;
	size_t i;
	bool any;

	candidate = memory_get(marks->count, sizeof(*candidate));
	for (i = 0; i < marks->count; i++) {
		struct mark *mark = &marks->item[i];
		const __u8 *esp = mark->segment->payload + offset;

		if (mark->kind != KIND_STREAM || mark->way != way ||
		    !may_be_esp(mark->segment, offset))
			continue;
		candidate[count++] = (struct candidate) {
			.spi = get32(esp),
			.number = get32(esp + 4),
			.mark = mark,
		};
	}
	qsort(candidate, count, sizeof(*candidate), by_spi);
	any = mark_sas(candidate, count, is_sa);
	if (any)
		mark_sas(candidate, count, is_young_sa);
	free(candidate);

	return any;
}

/* Whether a direction is a stream and nothing else, with ESP in its frames;
 * @complete: or whether octets are missing, so that it cannot be told
 */
static bool is_esp_in_stream(const struct marks *marks,
			     const struct segment *syn, int way, __u32 first,
			     bool *complete)
{
	struct stream stream;
	struct frames frames;
	size_t i;

	stream_start(&stream, first);
	for (i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->item[i];

		if (mark->kind == KIND_STREAM && mark->way == way &&
		    way_of(syn, mark->segment) >= 0 &&
		    !(mark->segment->flags & TH_SYN))
			stream_add(&stream, mark->segment);
	}
	stream_frames(&stream, way == 0, &frames);
	stream_free(&stream);
	*complete = stream_is_complete(&stream);

	return !stream.conflicts && !frames.bad &&
		frames.in_order >= ENOUGH_STEPS;
}

/**
 * struct sums - what tells whether ESP is part of a stream
 * @first: the stream's first octet
 * @acked: so many octets were acknowledged
 * @stream: octets of segments that are surely the stream's
 * @esp: octets of those in question
 * @last: sequence number of the last segment, as one may be captured twice
 */
struct sums {
	__u32 first;
	__u32 acked;
	__u64 stream;
	__u64 esp;
	__u32 last;
};

/* An acknowledgment is surely TCP's own where no ESP packet can carry it. */
static void sum_acked(struct sums *sums, const struct segment *segment)
{
	if (segment->flags & TH_ACK &&
	    (!segment->length || segment->timestamps) &&
	    (__s32)(segment->ack - sums->first - sums->acked) > 0)
		sums->acked = segment->ack - sums->first;
}

static void sum_octets(struct sums *sums, const struct mark *mark)
{
	const struct segment *segment = mark->segment;

	if (mark->kind == KIND_ESP)
		sums->esp += segment->length;
	else if (mark->kind == KIND_STREAM && segment->seq != sums->last)
		sums->stream += segment->length;
	if (segment->length)
		sums->last = segment->seq;
}

/* Whether what was taken for ESP beside the stream is part of it: it has the
 * time stamps that the stream has, and the other side acknowledges it.
 */
static bool is_acknowledged(const struct marks *marks,
			    const struct segment *syn, int way, __u32 first)
{
	struct sums sums = { .first = first, .last = first - 1 };
	size_t i;

	for (i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->item[i];

		if (way_of(syn, mark->segment) < 0)
			continue;
		if (mark->kind == KIND_ESP && mark->way == way &&
		    syn->timestamps && !mark->segment->timestamps)
			return false;
		if (mark->way == way)
			sum_octets(&sums, mark);
		else
			sum_acked(&sums, mark->segment);
	}

	return sums.acked > sums.stream + sums.esp / 2;
}

/* Find ESP with a length in front, beside the stream. */
static bool mark_prefixed(struct marks *marks, const struct segment *syn,
			  int way, __u32 first)
{
	bool complete;
	size_t i;

	if (is_esp_in_stream(marks, syn, way, first, &complete) ||
	    !mark_esp(marks, way, 2))
		return false;
	if (complete || !is_acknowledged(marks, syn, way, first))
		return true;
	for (i = 0; i < marks->count; i++) {
		if (marks->item[i].way == way)
			marks->item[i].kind = KIND_STREAM;
	}

	return false;
}

static void add_esp(struct connection *connection, const struct mark *mark)
{
	struct way *way = &connection->way[mark->way];
	struct way *back = &connection->way[!mark->way];

	way->esp[way->count++] = (struct esp) {
		.segment = mark->segment,
		.spi = mark->spi,
		.number = mark->number,
		.next = { way->stream.next, back->stream.next },
		.acked = { way->acked, back->acked },
		.window = way->window,
		.window_known = way->window_known,
	};
	if (way_of(connection->syn, mark->segment) < 0)
		way->elsewhere++;
}

/* A segment of the TCP connection itself */
static void add_stream(struct connection *connection, int direction,
		       const struct segment *segment)
{
	struct way *way = &connection->way[direction];
	struct way *back = &connection->way[!direction];

	if (way_of(connection->syn, segment) < 0) {
		way->strays++;
		return;
	}
	if (segment->flags & TH_ACK && back->opened &&
	    (__s32)(segment->ack - back->acked) > 0)
		back->acked = segment->ack;
	if (segment->flags & TH_SYN) {
		if (!way->opened)
			stream_start(&way->stream, segment->seq + 1);
		way->opened = true;
		way->first = segment->seq + 1;
		way->acked = way->first;
		return;
	}
	if (segment->flags & TH_RST || !way->opened)
		return;
	way->window = segment->window;
	way->window_known = true;
	if (segment->timestamps)
		way->timestamps++;
	else
		way->bare++;
	stream_add(&way->stream, segment);
}

static void add_all(struct connection *connection, const struct marks *marks)
{
	size_t i;

	for (i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->item[i];

		switch (mark->kind) {
		case KIND_STREAM:
			add_stream(connection, mark->way, mark->segment);
			break;
		case KIND_ESP:
			add_esp(connection, mark);
			break;
		case KIND_REPEATED:
			connection->way[mark->way].repeated++;
			break;
		}
	}
}

/* Return: the sequence number of the answer's first octet, if there is one */
static bool find_answer(const struct marks *marks, __u32 *first)
{
	size_t i;

	for (i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->item[i];

		if (mark->way == 1 && mark->segment->flags & TH_SYN) {
			*first = mark->segment->seq + 1;
			return true;
		}
	}

	return false;
}

/**
 * connection_repeats() - see whether a connection was opened before
 * @capture: the capture
 * @syn: the segment that opens it
 *
 * Return: true if it was: the segment is a retransmission, or was captured twice
 */
bool connection_repeats(const struct capture *capture, const struct segment *syn)
{
	const struct sorted *begun = &capture->begun;
	size_t i = sorted_find(begun, syn, true);

	while (i-- > 0 && sorted_has(begun, i, syn, true)) {
		const struct segment *before = begun->item[i];

		if (segment_opens(before) && !way_of(before, syn))
			return before->seq == syn->seq;
	}

	return false;
}

/**
 * connection_take() - take a connection out of a capture
 * @connection: filled; to be freed by connection_free() if this returns true
 * @capture: has to stay as long as @connection does
 * @syn: the segment that opened the connection
 *
 * Return: whether the connection came about
 */
bool connection_take(struct connection *connection, const struct capture *capture,
		     const struct segment *syn)
{
	__u32 first[2] = { syn->seq + 1 };
	struct marks marks;
	bool answered;
	int way;

	memset(connection, 0, sizeof(*connection));
	connection->syn = syn;
	collect(&marks, capture, syn);
	answered = find_answer(&marks, &first[1]);
	for (way = 0; way < 2 && answered; way++) {
		struct way *this = &connection->way[way];

		if (!mark_esp(&marks, way, 0))
			this->prefixed = mark_prefixed(&marks, syn, way,
						       first[way]);
		this->esp = memory_get(marks.count, sizeof(*this->esp));
	}
	if (answered)
		add_all(connection, &marks);
	for (way = 0; way < 2 && answered; way++) {
		struct way *this = &connection->way[way];

		stream_frames(&this->stream, way == 0, &this->frames);
		this->strays += this->stream.conflicts;
	}
	free(marks.item);

	return answered;
}

/**
 * connection_free() - free what connection_take() allocated
 * @connection: the connection
 */
void connection_free(struct connection *connection)
{
	int way;

	for (way = 0; way < 2; way++) {
		stream_free(&connection->way[way].stream);
		free(connection->way[way].esp);
	}
}

/**
 * connection_has_esp() - see whether there is ESP, of whatever framing
 * @connection: the connection
 *
 * Return: true if there is
 */
bool connection_has_esp(const struct connection *connection)
{
	const struct frames *there = &connection->way[0].frames;
	const struct frames *back = &connection->way[1].frames;

	/* behind the prefix, what looks like a frame is one */
	return connection->way[0].count || connection->way[1].count ||
		there->in_order >= ENOUGH_STEPS ||
		back->in_order >= ENOUGH_STEPS ||
		(there->prefix && there->esp + back->esp);
}

/**
 * connection_esp_elsewhere() - count ESP of connections that began too early
 * @capture: the capture
 *
 * Return: number of packets that look like ESP behind a TCP header, whatever
 * their ports and addresses
 */
size_t connection_esp_elsewhere(const struct capture *capture)
{
	const struct sorted *loose = &capture->loose;
	struct marks marks = {
		.item = memory_get(loose->count, sizeof(struct mark)),
	};
	size_t found = 0;
	__u32 offset;
	size_t i;

	for (i = 0; i < loose->count; i++)
		add_mark(&marks, loose->item[i], 0);
	for (offset = 0; offset <= 2; offset += 2)
		mark_esp(&marks, 0, offset);
	for (i = 0; i < marks.count; i++)
		found += marks.item[i].kind == KIND_ESP;
	free(marks.item);

	return found;
}
