/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes a command's arguments one by one from a list that NULL ends. What
 * returns an int returns 0, or the exit status after it has told the user.
 */
#ifndef ESPTCP_ARGS_H
#define ESPTCP_ARGS_H

#include <stdbool.h>

#include <linux/types.h>

#include "netlink.h"

/* Where peers expect IKE over TCP unless told otherwise */
#define IKE_PORT	4500

bool args_next_is(char **args, const char *keyword);
bool args_option(char **args, const char *name, const char *letter);
bool args_json(char **args);

int args_id(char ***args, __u32 *id);
int args_port(char ***args, __u32 *port);
int args_network(char ***args, struct address *address, __u32 *bits);
int args_role(char ***args, __u32 *role);
int args_fd(char ***args, __u32 *fd);
int args_sa(char ***args, struct binding *binding);
int args_end(char **args);

#endif /* ESPTCP_ARGS_H */
