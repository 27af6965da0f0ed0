/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values as text, for people.
 */
#ifndef ESPTCP_TEXT_H
#define ESPTCP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define AGE_STRLEN	48
#define SIZE_STRLEN	32
#define FLAGS_STRLEN	32

[[gnu::format(printf, 3, 4)]]
void text_append(char *text, size_t size, const char *format, ...);
const char *text_age(char text[AGE_STRLEN], __u64 seconds, bool brief);
const char *text_size(char text[SIZE_STRLEN], __u64 octets);
const char *text_flags(char text[FLAGS_STRLEN], __u8 flags);

#endif /* ESPTCP_TEXT_H */
