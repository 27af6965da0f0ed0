/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Colours, where the output is a terminal and NO_COLOR is not set.
 */
#ifndef ESPTCP_COLOUR_H
#define ESPTCP_COLOUR_H

/* Control sequences of ECMA-48, section 8.3.117 */
#define COLOUR_BOLD	"\033[1m"
#define COLOUR_RED	"\033[31m"
#define COLOUR_GREEN	"\033[32m"
#define COLOUR_YELLOW	"\033[33m"

void colour_on(const char *colour);
void colour_off(void);

#endif /* ESPTCP_COLOUR_H */
