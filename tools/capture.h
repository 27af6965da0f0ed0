/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints what a capture shows.
 */
#ifndef ESPTCP_CAPTURE_H
#define ESPTCP_CAPTURE_H

#include "dialogue.h"

void capture_print(const struct capture *capture,
		   const struct dialogue *dialogue, size_t count);
void capture_json(const struct capture *capture,
		  const struct dialogue *dialogue, size_t count);

#endif /* ESPTCP_CAPTURE_H */
