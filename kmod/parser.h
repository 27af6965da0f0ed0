/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The RFC 9329 parser: where frames begin and end in a TCP stream, and what
 * is in them.
 *
 * It owns the head of the frame that is being received and the count of what
 * is still to come, nothing else. It calls nothing and allocates nothing, so
 * that the kernel, the unit tests and fuzzers compile this very file. The
 * caller serialises calls for one parser; in the kernel it holds the socket
 * lock.
 */
#ifndef ESPTCP_PARSER_H
#define ESPTCP_PARSER_H

#include <linux/types.h>

#define ESPTCP_LEN_SIZE		2	/* the length field itself */
#define ESPTCP_MARKER_SIZE	4	/* non-ESP marker, or an SPI */
#define ESPTCP_HEAD_SIZE	(ESPTCP_LEN_SIZE + ESPTCP_MARKER_SIZE)
#define ESPTCP_MAX_MESSAGE	(65535 - ESPTCP_LEN_SIZE)

/* An ESP header: SPI and sequence number (RFC 4303 section 2). */
#define ESPTCP_MIN_ESP		8
/* A marker and an IKE header (RFC 7296 section 3.1). */
#define ESPTCP_MIN_IKE		(ESPTCP_MARKER_SIZE + 28)

/**
 * enum esptcp_verdict - what the octets so far say of the frame
 * @ESPTCP_MORE: the head is incomplete
 * @ESPTCP_EMPTY: length 2, to be ignored; the next frame follows
 * @ESPTCP_KEEPALIVE: a NAT keepalive, to be ignored; the next frame follows
 * @ESPTCP_RUNT: too short for what it says it is; its rest follows
 * @ESPTCP_IKE: an IKE message; its rest follows
 * @ESPTCP_ESP: an ESP packet; its rest follows
 * @ESPTCP_BAD_LENGTH: length 0 or 1; the connection has to be closed and the
 *	parser must not be used again (RFC 9329 section 3.1)
 */
enum esptcp_verdict {
	ESPTCP_MORE,
	ESPTCP_EMPTY,
	ESPTCP_KEEPALIVE,
	ESPTCP_RUNT,
	ESPTCP_IKE,
	ESPTCP_ESP,
	ESPTCP_BAD_LENGTH,
};

/**
 * struct esptcp_parser - position in the stream; all zero at its beginning
 * @head: length field and first octets of the message, as received
 * @have: octets in @head that are valid
 * @left: octets of the message that are behind @head and not yet consumed
 * @body: @head is complete, @left counts down
 */
struct esptcp_parser {
	__u8 head[ESPTCP_HEAD_SIZE];
	__u8 have;
	__u8 body;
	__u16 left;
};

enum esptcp_verdict esptcp_parser_head(struct esptcp_parser *p,
				       const __u8 *octets, unsigned int n,
				       unsigned int *used);
int esptcp_parser_body(struct esptcp_parser *p, unsigned int n);
unsigned int esptcp_parser_message_len(const struct esptcp_parser *p);
unsigned int esptcp_parser_message_have(const struct esptcp_parser *p);
int esptcp_parser_midframe(const struct esptcp_parser *p);

#endif /* ESPTCP_PARSER_H */
