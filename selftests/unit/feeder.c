// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <string.h>

#include "feeder.h"

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

void feeder_reset(struct feeder *f)
{
	memset(&f->parser, 0, sizeof(f->parser));
	f->closed = 0;
}

static void body(struct feeder *f, struct trace *t, const uint8_t *octets,
		 size_t len)
{
	memcpy(f->message + f->len, octets, len);
	f->len += len;
	if (!esptcp_parser_body(&f->parser, len)) {
		assert(esptcp_parser_midframe(&f->parser));
		return;
	}
	assert(!esptcp_parser_midframe(&f->parser));
	trace_frame(t, f->verdict, f->message, f->len);
}

/* The head is complete and the rest follows: check what the parser says. */
static void begin_body(struct feeder *f)
{
	struct esptcp_parser *p = &f->parser;

	f->len = esptcp_parser_message_have(p);
	assert(p->body && f->len <= ESPTCP_MARKER_SIZE);
	assert(f->len + p->left == esptcp_parser_message_len(p));
	assert(esptcp_parser_message_len(p) <= ESPTCP_MAX_MESSAGE);
	memcpy(f->message, p->head + ESPTCP_LEN_SIZE, f->len);
}

/* Return: how many octets were of the head. */
static size_t head(struct feeder *f, struct trace *t, const uint8_t *octets,
		   size_t len)
{
	struct esptcp_parser *p = &f->parser;
	unsigned int used;

	f->verdict = esptcp_parser_head(p, octets, len, &used);
	assert(used >= 1 && used <= len && p->have <= ESPTCP_HEAD_SIZE);
	switch (f->verdict) {
	case ESPTCP_MORE:
		assert(used == len);
		assert(esptcp_parser_midframe(p) && !p->body);
		break;
	case ESPTCP_EMPTY:
	case ESPTCP_KEEPALIVE:
		assert(!esptcp_parser_midframe(p) && !p->body);
		trace_frame(t, f->verdict, NULL, f->verdict == ESPTCP_KEEPALIVE);
		break;
	case ESPTCP_BAD_LENGTH:
		f->closed = 1;
		trace_frame(t, f->verdict, NULL, p->head[1]);
		break;
	case ESPTCP_RUNT:
	case ESPTCP_IKE:
	case ESPTCP_ESP:
		begin_body(f);
		if (!p->left)
			body(f, t, octets, 0);
		break;
	}
	return used;
}

void feeder_piece(struct feeder *f, struct trace *t, const uint8_t *piece,
		  size_t len)
{
	while (len && !f->closed) {
		size_t n;

		if (f->parser.body) {
			n = min(len, f->parser.left);
			body(f, t, piece, n);
		} else {
			n = head(f, t, piece, len);
		}
		piece += n;
		len -= n;
	}
}

void feeder_end(struct feeder *f, struct trace *t)
{
	if (!f->closed)
		trace_end(t, esptcp_parser_midframe(&f->parser));
}
