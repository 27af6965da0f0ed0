/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints for people, on stdout. main() finds out whether that worked.
 */
#ifndef ESPTCP_PRINT_H
#define ESPTCP_PRINT_H

/* Columns of a value behind its label, and of a remark behind a number */
#define VALUE_COLUMN	14
#define REMARK_COLUMN	28

/* Control sequences of ECMA-48, section 8.3.117 */
#define COLOUR_BOLD	"\033[1m"
#define COLOUR_RED	"\033[31m"
#define COLOUR_GREEN	"\033[32m"
#define COLOUR_YELLOW	"\033[33m"

[[gnu::format(printf, 2, 3)]]
void print_coloured(const char *colour, const char *format, ...);
void print_label(const char *label);
void print_wrapped(unsigned int column, const char *text);

#endif /* ESPTCP_PRINT_H */
