// SPDX-License-Identifier: GPL-2.0
/*
 * The stream parser, kmod/parser.c: wherever the stream is cut, it finds what
 * the reference finds in the whole. The first octet of the input says how the
 * rest is cut: below 128 into pieces of that size, else into random ones.
 */
#include <assert.h>
#include <stdlib.h>

#include "feeder.h"
#include "fuzz.h"
#include "reference.h"

static uint32_t state;

static size_t random_size(void)
{
	state = state * 1103515245 + 12345;

	return 1 + (state >> 16) % (state & 0x8000 ? 8 : 2000);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct feeder feeder;
	static struct trace want, seen;
	size_t fixed, piece, at;

	if (!len)
		return 0;
	fixed = *input < 128 ? 1 + *input : 0;
	state = *input++;
	len--;

	trace_reset(&want);
	reference_decode(&want, input, len);

	trace_reset(&seen);
	feeder_reset(&feeder);
	for (at = 0; at < len; at += piece) {
		piece = fixed ? fixed : random_size();
		if (piece > len - at)
			piece = len - at;
		feeder_piece(&feeder, &seen, input + at, piece);
	}
	feeder_end(&feeder, &seen);
	assert(trace_equal(&want, &seen));

	return 0;
}
