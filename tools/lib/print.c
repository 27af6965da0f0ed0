// SPDX-License-Identifier: GPL-2.0
/*
 * Prints for people: lines of at most 80 columns, a label before each value;
 * colours where the output is a terminal and NO_COLOR is not set.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print.h"

#define COLUMNS		80

static bool has_colours(void)
{
	static int known = -1;
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (known < 0)
		known = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
			term && *term && strcmp(term, "dumb");

	return known;
}

/* Print as printf(), in a colour. */
void print_coloured(const char *colour, const char *format, ...)
{
	va_list args;

	if (has_colours())
		fputs(colour, stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (has_colours())
		fputs("\033[m", stdout);
}

/* Print a label, so that the value begins in VALUE_COLUMN. */
void print_label(const char *label)
{
	printf("  %-*s", VALUE_COLUMN - 2, label);
}

/* Print text from a column on, broken at blanks, and end the line. */
void print_wrapped(unsigned int column, const char *text)
{
	size_t room = COLUMNS - column;
	size_t length;

	while (strlen(text) > room) {
		length = room;
		while (length && text[length] != ' ')
			length--;
		if (!length)
			break;
		printf("%.*s\n%*s", (int)length, text, column, "");
		text += length + 1;
	}
	puts(text);
}
