/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reference: RFC 9329 section 3 read off a whole stream at once.
 *
 * It is written from the RFC and shares nothing with the parser but the names
 * of the verdicts. It has the whole stream in memory, so it needs no state.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "trace.h"

void reference_decode(struct trace *t, const uint8_t *stream, size_t len);

#endif /* REFERENCE_H */
