/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes a command's arguments one by one from a list that NULL ends. What
 * returns an int returns 0, or the exit status after it has told the user.
 */
#ifndef ESPTCP_PARSE_H
#define ESPTCP_PARSE_H

#include <stdbool.h>

#include <linux/types.h>

#include "netlink.h"

/* Where peers expect IKE over TCP unless told otherwise */
#define IKE_PORT	4500

bool next_is(char **args, const char *keyword);
bool take_option(char **args, const char *name, const char *letter);
bool take_json(char **args);

int take_id(char ***args, __u32 *id);
int take_port(char ***args, __u32 *port);
int take_network(char ***args, struct address *address, __u32 *bits);
int take_role(char ***args, __u32 *role);
int take_fd(char ***args, __u32 *fd);
int take_sa(char ***args, struct binding *binding);
int take_end(char **args);

#endif /* ESPTCP_PARSE_H */
