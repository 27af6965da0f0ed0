/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tells the user on stderr what went wrong and what to do. The functions
 * return the exit status that follows.
 */
#ifndef ESPTCP_ERROR_H
#define ESPTCP_ERROR_H

#include <stdbool.h>

#include "netlink.h"

/* EXIT_FAILURE (1) is an error of the kernel. */
#define EXIT_USAGE	2

/* doctor found a problem. */
#define EXIT_PROBLEM	3

/**
 * struct remedy - what to do about an error
 * @error: an errno; 0 ends a table
 * @text: the advice
 */
struct remedy {
	int error;
	const char *text;
};

bool args_is_option(const char *word);
int args_error(const char *expected, const char *found);
int error_kernel(const struct genl *genl, int error,
		 const struct remedy *remedies);
int error_charon(int error, const struct remedy *remedies);

#endif /* ESPTCP_ERROR_H */
