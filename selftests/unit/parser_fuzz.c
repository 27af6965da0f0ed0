// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: "make fuzz", which needs clang. The first octet of the
 * input says into pieces of which size the rest is cut.
 */
#include <stdlib.h>

#include "feeder.h"
#include "reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct feeder feeder;
	static struct trace want, seen;
	size_t piece, at;

	if (len < 1)
		return 0;
	piece = 1 + *input++;
	len--;

	trace_reset(&want);
	reference_decode(&want, input, len);

	trace_reset(&seen);
	feeder_reset(&feeder);
	for (at = 0; at < len; at += piece)
		feeder_piece(&feeder, &seen, input + at,
			     len - at < piece ? len - at : piece);
	feeder_end(&feeder, &seen);

	if (!trace_equal(&want, &seen))
		abort();
	return 0;
}
