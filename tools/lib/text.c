// SPDX-License-Identifier: GPL-2.0
/*
 * Values as text, for people: ages, sizes, TCP's flags.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "text.h"

/**
 * text_append() - add to a text
 * @text: the text
 * @size: of the memory that it is in; what does not fit is left out
 * @format: as for printf()
 */
void text_append(char *text, size_t size, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, size - length, format, args);
	va_end(args);
}

/**
 * text_age() - an age in two units at most
 * @text: memory for it
 * @seconds: the age
 * @brief: there is room for one unit only
 *
 * Return: @text
 */
const char *text_age(char text[AGE_STRLEN], __u64 seconds, bool brief)
{
	static const struct {
		const char *name;
		unsigned int seconds;
	} units[] = {
		{ "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 },
	};
	unsigned int i = 0;

	while (units[i].seconds > 1 && seconds < units[i].seconds)
		i++;
	text[0] = '\0';
	text_append(text, AGE_STRLEN, "%llu %s", seconds / units[i].seconds,
		    units[i].name);
	if (!brief && units[i].seconds > 1)
		text_append(text, AGE_STRLEN, " %llu %s",
			    seconds % units[i].seconds / units[i + 1].seconds,
			    units[i + 1].name);

	return text;
}

/**
 * text_size() - a size in the unit that suits it
 * @text: memory for it
 * @octets: the size
 *
 * Return: @text
 */
const char *text_size(char text[SIZE_STRLEN], __u64 octets)
{
	static const char units[] = "KMGTPE";
	double size = octets / 1024.0;
	unsigned int i = 0;

	if (octets < 1024) {
		snprintf(text, SIZE_STRLEN, "%llu B", octets);
		return text;
	}
	while (size >= 1024) {
		size /= 1024;
		i++;
	}
	snprintf(text, SIZE_STRLEN, "%.2f %ciB", size, units[i]);

	return text;
}

/**
 * text_flags() - the names of TCP's flags
 * @text: memory for them
 * @flags: as in the header
 *
 * Return: @text, the names with commas
 */
const char *text_flags(char text[FLAGS_STRLEN], __u8 flags)
{
	static const char * const names[] = {
		"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr",
	};
	size_t i;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (flags & 1 << i)
			text_append(text, FLAGS_STRLEN, "%s%s",
				    *text ? "," : "", names[i]);
	}

	return *text ? text : "none";
}
