/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of the netlink specification: the names of its enums and
 * counters, and what they mean. The tables are in names_gen.c, which
 * names-regen.py makes.
 */
#ifndef ESPTCP_NAMES_H
#define ESPTCP_NAMES_H

#include <stdbool.h>

#include <linux/types.h>

#include "memory.h"

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
 * struct names - words by their number
 * @words: a number that stands for nothing has no name
 * @size: number of @words
 */
struct names {
	const struct word *words;
	__u32 size;
};

extern const struct names framing_names;
extern const struct names role_names;
extern const struct names dir_names;
extern const struct names state_names;
extern const struct names reason_names;
extern const struct names profile_name_names;
extern const struct names policy_names;
extern const struct names counter_names;

const struct word *names_word(const struct names *names, __u32 number);
const char *names_text(const struct names *names, __u32 number);
bool names_number(const struct names *names, const char *name,
		  __u32 *number);

#endif /* ESPTCP_NAMES_H */
