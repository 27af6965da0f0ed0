/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was inferred from a capture, in words and as options.
 */
#ifndef ESPTCP_OPTIONS_H
#define ESPTCP_OPTIONS_H

#include "profile.h"

#define OPTIONS_SIZE	256
#define FLAGS_SIZE	32

/**
 * struct view - a direction and what was inferred from it
 * @way: the direction
 * @profile: what was inferred
 */
struct view {
	const struct way *way;
	struct profile profile;
};

[[gnu::format(printf, 3, 4)]]
void append(char *text, size_t size, const char *format, ...);
const char *flags_text(char text[FLAGS_SIZE], __u8 flags);
const char *yes_or_no(const struct count *count);
bool flags_are_known(const struct profile *profile);
bool is_open(const struct choice *choice, enum policy policy);
bool prefix_is_known(const struct view *view);
void options_text(const struct view *view, char text[OPTIONS_SIZE]);

#endif /* ESPTCP_OPTIONS_H */
