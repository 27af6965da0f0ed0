/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace: what a decoder found in a stream, as octets that can be compared.
 *
 * Each complete frame leaves its verdict, the length of its message and, if
 * it is not one to be ignored, the message. The end of the stream leaves one
 * more verdict: ESPTCP_MORE if it came inside a frame. Both the reference and
 * the parser under test write traces.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "parser.h"

struct trace {
	uint8_t *octets;
	size_t len, room;
};

void trace_reset(struct trace *t);
void trace_free(struct trace *t);
void trace_frame(struct trace *t, enum esptcp_verdict v, const uint8_t *message,
		 size_t len);
void trace_end(struct trace *t, int midframe);
int trace_equal(const struct trace *a, const struct trace *b);

#endif /* TRACE_H */
