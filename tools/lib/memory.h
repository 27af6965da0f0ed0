/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory, or the end of the command with an error: nobody else looks whether
 * there is any. Growing arrays.
 */
#ifndef ESPTCP_MEMORY_H
#define ESPTCP_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

void *memory_check(void *memory);
void *memory_get(size_t count, size_t size);
void *memory_grow(void *array, size_t count, size_t more, size_t size);
[[gnu::format(printf, 1, 0)]]
char *memory_print(const char *format, va_list args);

#endif /* ESPTCP_MEMORY_H */
