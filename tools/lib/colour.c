// SPDX-License-Identifier: GPL-2.0
/*
 * Switches colours on and off; for the printers for people.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "colour.h"

static bool wanted(void)
{
	static int known = -1;
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (known < 0)
		known = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			term && *term && strcmp(term, "dumb");

	return known;
}

void colour_on(const char *colour)
{
	if (wanted())
		fputs(colour, stdout);
}

void colour_off(void)
{
	colour_on("\033[m");
}
