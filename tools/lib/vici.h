/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What charon, strongSwan's IKE daemon, tells through its vici interface, and
 * what its settings are.
 */
#ifndef ESPTCP_VICI_H
#define ESPTCP_VICI_H

#include <json-c/json_object.h>

int vici_open(void);
void vici_close(void);
struct json_object *vici_request(const char *command);
struct json_object *vici_stream(const char *command, const char *event);

char *vici_setting(const char *name, char **complaint);

#endif /* ESPTCP_VICI_H */
