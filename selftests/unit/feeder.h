/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The feeder: gives a stream to the parser in pieces, as the kernel does.
 *
 * It owns the parser and the message that is being put together. A piece ends
 * where TCP happened to cut; the feeder remembers nothing else across pieces.
 * What the parser promises in parser.h is asserted on every call.
 */
#ifndef FEEDER_H
#define FEEDER_H

#include "trace.h"

struct feeder {
	struct esptcp_parser parser;
	enum esptcp_verdict verdict;
	size_t len;
	int closed;
	uint8_t message[ESPTCP_MAX_MESSAGE];
};

void feeder_reset(struct feeder *f);
void feeder_piece(struct feeder *f, struct trace *t, const uint8_t *piece,
		  size_t len);
void feeder_end(struct feeder *f, struct trace *t);

#endif /* FEEDER_H */
