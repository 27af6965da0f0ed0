/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes a command's arguments one by one from a list that NULL ends. What
 * returns an int returns 0, or the exit status after it has told the user.
 */
#ifndef ESPTCP_ARGS_H
#define ESPTCP_ARGS_H

#include <stdbool.h>

#include <linux/types.h>

#include "address.h"
#include "names.h"

bool args_is_option(const char *word);
bool args_next_is(char **args, const char *keyword);
bool args_option(char **args, const char *name, const char *letter);
bool args_json(char **args);
bool args_is_number(const char *text, __u32 min, __u32 max, __u32 *number);

int args_number(char ***args, const char *expected, __u32 min, __u32 max,
		__u32 *number);
int args_name(char ***args, const char *expected, const struct names *names,
	      __u32 *number);
int args_id(char ***args, __u32 *id);
int args_port(char ***args, __u32 *port);
int args_fd(char ***args, __u32 *fd);
int args_address(char ***args, struct address *address);
int args_network(char ***args, struct address *address, __u32 *bits);
int args_end(char **args);
int args_error(const char *expected, const char *found);

#endif /* ESPTCP_ARGS_H */
