/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints what a capture shows.
 */
#ifndef ESPTCP_CAPTURE_H
#define ESPTCP_CAPTURE_H

#include "dialogue.h"

struct json_object;

void capture_print(const struct capture *capture,
		   const struct dialogue *dialogue);
struct json_object *dialogue_json(const struct dialogue *dialogue);
void capture_json(const struct capture *capture,
		  struct json_object *connections);

#endif /* ESPTCP_CAPTURE_H */
