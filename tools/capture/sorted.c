// SPDX-License-Identifier: GPL-2.0
/*
 * Sorts a capture's segments by connection: those of connections whose
 * beginning was captured; the others, which may be ESP beside one of these on
 * other ports, by addresses. Both directions belong together. The array of
 * the capture is in the order of time, so addresses of its members tell it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "sorted.h"

/**
 * struct end - an end of a connection
 * @address: its address
 * @port: its port, or 0 where ports do not matter
 */
struct end {
	const struct address *address;
	__u16 port;
};

static int compare_ends(const struct end *a, const struct end *b)
{
	int less = (int)a->address->len - b->address->len;

	if (!less)
		less = memcmp(a->address->octets, b->address->octets,
			      a->address->len);

	return less ? less : (int)a->port - b->port;
}

/* The ends of a segment, the lower one first: both directions have the same. */
static void get_ends(const struct segment *segment, bool ports,
		     struct end end[2])
{
	struct end from = { &segment->from, ports ? segment->from_port : 0 };
	struct end to = { &segment->to, ports ? segment->to_port : 0 };
	bool swap = compare_ends(&from, &to) > 0;

	end[swap] = from;
	end[!swap] = to;
}

static int compare(const struct segment *a, const struct segment *b, bool ports)
{
	struct end left[2], right[2];
	int less;

	get_ends(a, ports, left);
	get_ends(b, ports, right);
	less = compare_ends(&left[0], &right[0]);

	return less ? less : compare_ends(&left[1], &right[1]);
}

static int compare_places(const struct segment *a, const struct segment *b,
			  bool ports)
{
	int less = compare(a, b, ports);

	return less ? less : a < b ? -1 : a > b;
}

/* For qsort(): elements are pointers to segments. */
static int by_connection(const void *a, const void *b)
{
	return compare_places(*(const struct segment **)a,
			      *(const struct segment **)b, true);
}

static int by_addresses(const void *a, const void *b)
{
	return compare_places(*(const struct segment **)a,
			      *(const struct segment **)b, false);
}

/**
 * sorted_has() - see whether a place has a segment that belongs to another one
 * @sorted: the segments in order
 * @i: the place, which may be behind the last one
 * @segment: the other one
 * @ports: they have to have the same ports, too, not only the same addresses
 *
 * Return: true if it has
 */
bool sorted_has(const struct sorted *sorted, size_t i,
		const struct segment *segment, bool ports)
{
	return i < sorted->count && !compare(sorted->item[i], segment, ports);
}

static void allocate(struct sorted *sorted, size_t count)
{
	sorted->count = 0;
	sorted->item = memory_get(count, sizeof(*sorted->item));
}

/* Move a connection's segments to where they belong. */
static void place(const struct segment **segment, size_t count,
		  struct sorted *begun, struct sorted *loose)
{
	bool opens = false;
	size_t i;

	for (i = 0; i < count; i++)
		opens |= segment_opens(segment[i]);
	for (i = 0; i < count; i++) {
		if (opens)
			begun->item[begun->count++] = segment[i];
		else if (segment[i]->length)
			loose->item[loose->count++] = segment[i];
	}
}

/**
 * sorted_make() - sort the segments of a capture
 * @segment: the segments, oldest first
 * @segments: how many
 * @begun: filled: those of connections that were opened, by connection and time
 * @loose: filled: the others, if they carry something, by addresses and time
 */
void sorted_make(const struct segment *segment, size_t segments,
		 struct sorted *begun, struct sorted *loose)
{
	struct sorted all;
	size_t i, end;

	allocate(&all, segments);
	allocate(begun, segments);
	allocate(loose, segments);
	while (all.count < segments) {
		all.item[all.count] = &segment[all.count];
		all.count++;
	}
	qsort(all.item, all.count, sizeof(*all.item), by_connection);
	for (i = 0; i < all.count; i = end) {
		end = i + 1;
		while (sorted_has(&all, end, all.item[i], true))
			end++;
		place(all.item + i, end - i, begun, loose);
	}
	free(all.item);
	qsort(loose->item, loose->count, sizeof(*loose->item), by_addresses);
}

/**
 * sorted_find() - find the place of a segment
 * @sorted: where to look
 * @segment: the segment, or another one of the same capture
 * @ports: @sorted is sorted by connection, not by addresses only
 *
 * Return: index of the first that is not before @segment
 */
size_t sorted_find(const struct sorted *sorted, const struct segment *segment,
		   bool ports)
{
	size_t low = 0, high = sorted->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_places(sorted->item[middle], segment, ports) < 0)
			low = middle + 1;
		else
			high = middle;
	}

	return low;
}
