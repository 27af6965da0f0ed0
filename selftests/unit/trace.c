// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

static void append(struct trace *t, const void *octets, size_t len)
{
	if (!len)
		return;
	if (t->len + len > t->room) {
		t->room = 2 * (t->len + len);
		t->octets = realloc(t->octets, t->room);
		assert(t->octets);
	}
	memcpy(t->octets + t->len, octets, len);
	t->len += len;
}

void trace_reset(struct trace *t)
{
	t->len = 0;
}

void trace_free(struct trace *t)
{
	free(t->octets);
	memset(t, 0, sizeof(*t));
}

void trace_frame(struct trace *t, enum esptcp_verdict v, const uint8_t *message,
		 size_t len)
{
	uint32_t head[2] = { v, len };

	append(t, head, sizeof(head));
	if (v == ESPTCP_RUNT || v == ESPTCP_IKE || v == ESPTCP_ESP)
		append(t, message, len);
}

void trace_end(struct trace *t, int midframe)
{
	uint32_t head[2] = { ESPTCP_MORE, !!midframe };

	append(t, head, sizeof(head));
}

int trace_equal(const struct trace *a, const struct trace *b)
{
	return a->len == b->len && !memcmp(a->octets, b->octets, a->len);
}
