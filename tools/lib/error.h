/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tells the user on stderr what went wrong and what to do.
 */
#ifndef ESPTCP_ERROR_H
#define ESPTCP_ERROR_H

/* Exit statuses besides 0 and EXIT_FAILURE (1): wrong arguments, and a problem
 * that doctor found
 */
#define EXIT_USAGE	2
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

const char *error_remedy(const struct remedy *remedies, int error);
int error_print(const char *what, const char *remedy);
int error_kernel(int error, const char *message,
		 const struct remedy *remedies);

#endif /* ESPTCP_ERROR_H */
