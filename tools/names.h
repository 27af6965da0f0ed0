/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of the netlink specification: the names of its enums and
 * counters, and what they mean. The tables are in names_gen.c, which
 * names-regen.py makes; both printers use them.
 */
#ifndef ESPTCP_NAMES_H
#define ESPTCP_NAMES_H

#include <stdbool.h>

#include <linux/types.h>

#include "array.h"

/**
 * struct word - one value of an enum, or one counter
 * @name: as the specification and /proc/net/esptcp_stat have it
 * @doc: a sentence without its full stop, or ""
 */
struct word {
	const char *name;
	const char *doc;
};

/**
 * struct vocabulary - words by their number
 * @words: a number that stands for nothing has no name
 * @size: number of @words
 */
struct vocabulary {
	const struct word *words;
	__u32 size;
};

extern const struct vocabulary framing_names;
extern const struct vocabulary role_names;
extern const struct vocabulary dir_names;
extern const struct vocabulary state_names;
extern const struct vocabulary reason_names;
extern const struct vocabulary profile_name_names;
extern const struct vocabulary policy_names;
extern const struct vocabulary counter_names;

const struct word *word_of(const struct vocabulary *vocabulary, __u32 number);
const char *name_of(const struct vocabulary *vocabulary, __u32 number);
bool number_of(const struct vocabulary *vocabulary, const char *name,
	       __u32 *number);

#endif /* ESPTCP_NAMES_H */
