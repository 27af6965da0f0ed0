/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_version.h"

#include <ctype.h>
#include <link.h>

/**
 * Check if a version number stands in a piece of memory, not as a part of
 * another number.
 */
static bool contains_version(const char *mem, size_t len)
{
	const char *end = mem + len, *pos, *next;
	size_t version_len = strlen(VERSION);

	for (pos = mem; (pos = memmem(pos, end - pos, VERSION, version_len)); pos++)
	{
		next = pos + version_len;
		if ((pos == mem || (pos[-1] != '.' && !isdigit(pos[-1]))) &&
			(next == end || (*next != '.' && !isalnum(*next))))
		{
			return TRUE;
		}
	}
	return FALSE;
}

/**
 * Search the constants of the first object, which is the program itself.
 */
static int search_program(struct dl_phdr_info *info, size_t size, void *found)
{
	const ElfW(Phdr) *segment;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++)
	{
		segment = &info->dlpi_phdr[i];
		if (segment->p_type == PT_LOAD && segment->p_flags & PF_R &&
			!(segment->p_flags & PF_W) &&
			contains_version((char*)info->dlpi_addr + segment->p_vaddr,
							 segment->p_filesz))
		{
			*(bool*)found = TRUE;
		}
	}
	return 1;
}

/*
 * Described in header
 */
bool esptcp_version_check()
{
	bool found = FALSE;

	/* No library knows its version, but every daemon announces it when it
	 * starts. The groups of DBG differ between versions, too, so that only the
	 * first one is safe here. */
	dl_iterate_phdr(search_program, &found);
	if (!found)
	{
		DBG1(DBG_DMN, "plugin 'esptcp' was compiled for strongSwan " VERSION
			 ", but this is another version: build it again for this one");
	}
	return found;
}
