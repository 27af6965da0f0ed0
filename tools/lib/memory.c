// SPDX-License-Identifier: GPL-2.0
/*
 * Memory, or the end of the command with an error. What asks for much is a
 * capture, which is held whole.
 */
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

[[gnu::noreturn]]
static void end(void)
{
	fputs("esptcp: out of memory\n", stderr);
	fputs("  if a capture is too large, take a part: tcpdump -r FILE -c 100000 -w PART\n",
	      stderr);
	exit(EXIT_FAILURE);
}

/**
 * memory_get() - allocate zeroed memory
 * @count: elements, which may be 0
 * @size: octets of each
 *
 * Return: the memory, to be freed by free()
 */
void *memory_get(size_t count, size_t size)
{
	void *memory = calloc(count ?: 1, size);

	if (!memory)
		end();

	return memory;
}

/**
 * memory_resize() - make memory larger or smaller
 * @memory: what memory_get() or this returned, or NULL
 * @count: elements, more than 0
 * @size: octets of each
 *
 * Return: the memory, perhaps in another place
 */
void *memory_resize(void *memory, size_t count, size_t size)
{
	memory = reallocarray(memory, count, size);
	if (!memory)
		end();

	return memory;
}

/**
 * memory_print() - print into memory
 * @format: as for vprintf()
 * @args: likewise
 *
 * Return: the text, to be freed by free()
 */
char *memory_print(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		end();

	return text;
}
