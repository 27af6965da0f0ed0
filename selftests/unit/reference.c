// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "reference.h"

/* The numbers are the RFCs', not parser.h's: that is the point. */
static enum esptcp_verdict kind(const uint8_t *message, size_t len)
{
	static const uint8_t marker[4];

	if (len == 0)
		return ESPTCP_EMPTY;
	if (len == 1 && message[0] == 0xff)
		return ESPTCP_KEEPALIVE;
	if (len >= 4 && !memcmp(message, marker, 4))
		return len >= 4 + 28 ? ESPTCP_IKE : ESPTCP_RUNT;
	return len >= 8 ? ESPTCP_ESP : ESPTCP_RUNT;
}

void reference_decode(struct trace *t, const uint8_t *stream, size_t len)
{
	size_t at = 0;

	while (len - at >= 2) {
		size_t frame = stream[at] * 256 + stream[at + 1];

		if (frame < 2) {
			trace_frame(t, ESPTCP_BAD_LENGTH, NULL, frame);
			return;
		}
		if (frame > len - at)
			break;
		trace_frame(t, kind(stream + at + 2, frame - 2),
			    stream + at + 2, frame - 2);
		at += frame;
	}
	trace_end(t, at < len);
}
