// SPDX-License-Identifier: GPL-2.0
/*
 * Looks up the words of the netlink specification, for the printers and for
 * the parser of arguments.
 */
#include <string.h>

#include "names.h"

/* A module that is newer than this program may send numbers unknown here. */
static const struct word unknown = { .name = "unknown", .doc = "" };

const struct word *word_of(const struct vocabulary *vocabulary, __u32 number)
{
	if (number >= vocabulary->size || !vocabulary->words[number].name)
		return &unknown;

	return &vocabulary->words[number];
}

const char *name_of(const struct vocabulary *vocabulary, __u32 number)
{
	return word_of(vocabulary, number)->name;
}

bool number_of(const struct vocabulary *vocabulary, const char *name,
	       __u32 *number)
{
	__u32 i;

	for (i = 0; i < vocabulary->size; i++) {
		if (!strcmp(word_of(vocabulary, i)->name, name)) {
			*number = i;
			return true;
		}
	}

	return false;
}
