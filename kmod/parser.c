// SPDX-License-Identifier: GPL-2.0
#include "parser.h"

static unsigned int frame_len(const struct esptcp_parser *p)
{
	return p->head[0] << 8 | p->head[1];
}

/**
 * esptcp_parser_message_len() - length of the current message
 * @p: the parser, whose length field has been received
 *
 * Return: octets of the message, without those of the length field
 */
unsigned int esptcp_parser_message_len(const struct esptcp_parser *p)
{
	return frame_len(p) - ESPTCP_LEN_SIZE;
}

/**
 * esptcp_parser_message_have() - octets of the message that are in the head
 * @p: the parser
 *
 * They stand at p->head + ESPTCP_LEN_SIZE.
 *
 * Return: their number, 0 to ESPTCP_MARKER_SIZE
 */
unsigned int esptcp_parser_message_have(const struct esptcp_parser *p)
{
	return p->have > ESPTCP_LEN_SIZE ? p->have - ESPTCP_LEN_SIZE : 0;
}

/**
 * esptcp_parser_midframe() - whether the stream may not end here
 * @p: the parser
 *
 * Return: non-zero if a frame has begun and is not complete
 */
int esptcp_parser_midframe(const struct esptcp_parser *p)
{
	return p->have != 0;
}

/* Whether more octets decide what the frame is. */
static int head_incomplete(const struct esptcp_parser *p)
{
	unsigned int len;

	if (p->have < ESPTCP_LEN_SIZE)
		return 1;
	len = frame_len(p);
	return p->have < (len < ESPTCP_HEAD_SIZE ? len : ESPTCP_HEAD_SIZE);
}

/* Take octets of the head, out of @n; return: how many. */
static unsigned int take_head(struct esptcp_parser *p, const __u8 *octets,
			      unsigned int n)
{
	unsigned int used = 0;

	/* Nearly all frames have room for a head, and it comes in one piece. */
	if (!p->have && n >= ESPTCP_HEAD_SIZE &&
	    (octets[0] << 8 | octets[1]) >= ESPTCP_HEAD_SIZE) {
		__builtin_memcpy(p->head, octets, ESPTCP_HEAD_SIZE);
		p->have = ESPTCP_HEAD_SIZE;
		return ESPTCP_HEAD_SIZE;
	}
	while (used < n && head_incomplete(p))
		p->head[p->have++] = octets[used++];
	return used;
}

static int is_zero(const __u8 *marker)
{
	return !(marker[0] | marker[1] | marker[2] | marker[3]);
}

static enum esptcp_verdict classify(const struct esptcp_parser *p)
{
	const __u8 *message = p->head + ESPTCP_LEN_SIZE;
	unsigned int len = esptcp_parser_message_len(p);

	if (len == 1 && message[0] == 0xff)
		return ESPTCP_KEEPALIVE;
	if (len < ESPTCP_MARKER_SIZE)
		return ESPTCP_RUNT;
	if (is_zero(message))
		return len < ESPTCP_MIN_IKE ? ESPTCP_RUNT : ESPTCP_IKE;
	return len < ESPTCP_MIN_ESP ? ESPTCP_RUNT : ESPTCP_ESP;
}

static enum esptcp_verdict next_frame(struct esptcp_parser *p,
				      enum esptcp_verdict v)
{
	p->have = 0;
	p->body = 0;
	return v;
}

/* What the frame is, whose head is complete. */
static enum esptcp_verdict decide(struct esptcp_parser *p)
{
	unsigned int len = frame_len(p);
	enum esptcp_verdict v;

	if (len < ESPTCP_LEN_SIZE)
		return ESPTCP_BAD_LENGTH;
	if (len == ESPTCP_LEN_SIZE)
		return next_frame(p, ESPTCP_EMPTY);
	v = classify(p);
	if (v == ESPTCP_KEEPALIVE)
		return next_frame(p, v);

	p->body = 1;
	p->left = len - p->have;
	return v;
}

/**
 * esptcp_parser_head() - take octets of the head
 * @p: the parser, which is not inside a body
 * @octets: what comes next in the stream
 * @n: how many octets that are, at least 1
 * @used: is set to how many of them were taken: the length, then as much of
 *	the message as decides what it is
 *
 * After ESPTCP_RUNT, ESPTCP_IKE or ESPTCP_ESP the parser is inside the body:
 * p->left octets follow, perhaps none, and esptcp_parser_body() has to be
 * called, with 0 if none, to come to the next frame.
 *
 * Return: the verdict
 */
enum esptcp_verdict esptcp_parser_head(struct esptcp_parser *p,
				       const __u8 *octets, unsigned int n,
				       unsigned int *used)
{
	*used = take_head(p, octets, n);
	return head_incomplete(p) ? ESPTCP_MORE : decide(p);
}

/**
 * esptcp_parser_body() - go on after octets of the body have been consumed
 * @p: the parser, inside a body
 * @n: how many, at most p->left
 *
 * Return: non-zero if the frame is complete and the next one follows
 */
int esptcp_parser_body(struct esptcp_parser *p, unsigned int n)
{
	p->left -= n;
	if (p->left)
		return 0;
	next_frame(p, ESPTCP_MORE);
	return 1;
}
