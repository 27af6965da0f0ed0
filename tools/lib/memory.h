/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory, or the end of the command with an error.
 */
#ifndef ESPTCP_MEMORY_H
#define ESPTCP_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

void *memory_get(size_t count, size_t size);
void *memory_resize(void *memory, size_t count, size_t size);
[[gnu::format(printf, 1, 0)]]
char *memory_print(const char *format, va_list args);

#endif /* ESPTCP_MEMORY_H */
