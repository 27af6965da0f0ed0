/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A firewall's rules as libnftables-json(5) has them, whoever wrote them.
 */
#ifndef ESPTCP_RULESET_H
#define ESPTCP_RULESET_H

#include <json-c/json_object.h>

struct json_object *ruleset_of_nftables(void);
struct json_object *ruleset_of_legacy(const char *program, const char *family);

#endif /* ESPTCP_RULESET_H */
