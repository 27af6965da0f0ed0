/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Says what a capture shows, for people and for programs.
 */
#ifndef ESPTCP_REPORT_H
#define ESPTCP_REPORT_H

#include "profile.h"

struct json_object;

#define OPTIONS_SIZE	256

const char *count_text(const struct count *count);
bool profile_flags_known(const struct profile *profile);
bool choice_is_open(const struct choice *choice, enum policy policy);
bool profile_prefix_known(const struct profile *profile);
void profile_options(const struct profile *profile, char text[OPTIONS_SIZE]);

void report_print(const struct capture *capture,
		  const struct connection *connection);
struct json_object *report_connection(const struct connection *connection);
void report_json(const struct capture *capture,
		 struct json_object *connections);

#endif /* ESPTCP_REPORT_H */
