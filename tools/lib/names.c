// SPDX-License-Identifier: GPL-2.0
/*
 * Looks up the words of the netlink specification, for the printers and for
 * the parser of arguments.
 */
#include <string.h>

#include "names.h"

/* A module that is newer than this program may send numbers unknown here. */
static const struct word unknown = { .name = "unknown", .doc = "" };

const struct word *names_word(const struct names *names, __u32 number)
{
	if (number >= names->size || !names->words[number].name)
		return &unknown;

	return &names->words[number];
}

const char *names_text(const struct names *names, __u32 number)
{
	return names_word(names, number)->name;
}

bool names_number(const struct names *names, const char *name, __u32 *number)
{
	__u32 i;

	for (i = 0; i < names->size; i++) {
		if (!strcmp(names_word(names, i)->name, name)) {
			*number = i;
			return true;
		}
	}

	return false;
}
