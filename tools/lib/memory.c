// SPDX-License-Identifier: GPL-2.0
/*
 * Memory, or the end of the command with an error. What asks for much is a
 * capture, which is held whole.
 */
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

/**
 * memory_check() - end the command if there was no memory
 * @memory: what somebody has allocated, NULL if it failed
 *
 * Return: @memory
 */
void *memory_check(void *memory)
{
	if (memory)
		return memory;
	fputs("esptcp: out of memory\n"
	      "  if a capture is too large, take a part: tcpdump -r FILE -c 100000 -w PART\n",
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
	return memory_check(calloc(count ?: 1, size));
}

/* What an array of so many elements has room for: a power of two */
static size_t room(size_t count)
{
	size_t elements = 1;

	while (elements < count)
		elements *= 2;

	return elements;
}

/**
 * memory_grow() - make room for more elements of an array
 * @array: what this returned last, or NULL
 * @count: elements that the array has
 * @more: elements that will be added
 * @size: octets of each
 *
 * Return: the array, perhaps in another place, to be freed by free()
 */
void *memory_grow(void *array, size_t count, size_t more, size_t size)
{
	if (array && count + more <= room(count))
		return array;

	return memory_check(reallocarray(array, room(count + more), size));
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
		text = NULL;

	return memory_check(text);
}
