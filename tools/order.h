/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The segments of a capture by connection, so that nobody has to go through
 * all of them for each.
 */
#ifndef ESPTCP_ORDER_H
#define ESPTCP_ORDER_H

#include <stddef.h>

#include "segment.h"

/**
 * struct order - segments in an order of their own
 * @item: segments of a capture
 * @count: how many
 */
struct order {
	const struct segment **item;
	size_t count;
};

void order_make(const struct segment *segment, size_t segments,
		struct order *begun, struct order *loose);
size_t order_find(const struct order *order, const struct segment *segment,
		  bool ports);
bool order_has(const struct order *order, size_t i,
	       const struct segment *segment, bool ports);

#endif /* ESPTCP_ORDER_H */
