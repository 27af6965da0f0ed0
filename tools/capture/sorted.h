/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The segments of a capture by connection, so that nobody has to go through
 * all of them for each.
 */
#ifndef ESPTCP_SORTED_H
#define ESPTCP_SORTED_H

#include <stddef.h>

#include "segment.h"

/**
 * struct sorted - segments in an order of their own
 * @item: segments of a capture
 * @count: how many
 */
struct sorted {
	const struct segment **item;
	size_t count;
};

void sorted_make(const struct segment *segment, size_t segments,
		 struct sorted *begun, struct sorted *loose);
size_t sorted_find(const struct sorted *sorted, const struct segment *segment,
		   bool ports);
bool sorted_has(const struct sorted *sorted, size_t i,
		const struct segment *segment, bool ports);

#endif /* ESPTCP_SORTED_H */
