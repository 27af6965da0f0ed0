/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints what a capture shows.
 */
#ifndef ESPTCP_CAPTURE_H
#define ESPTCP_CAPTURE_H

#include "connection.h"

struct json_object;

void capture_print(const struct capture *capture,
		   const struct connection *connection);
struct json_object *report_json(const struct connection *connection);
void capture_json(const struct capture *capture,
		  struct json_object *connections);

#endif /* ESPTCP_CAPTURE_H */
