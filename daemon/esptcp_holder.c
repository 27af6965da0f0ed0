/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_holder.h"

#include <collections/array.h>

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/** State of a listening socket in /proc/net/tcp */
#define LISTEN 0x0a

/**
 * Collect the inodes of sockets that listen on a port.
 */
static void add_inodes(const char *table, uint16_t port, array_t *inodes)
{
	unsigned long inode;
	u_int number, state;
	char line[512];
	FILE *file;

	file = fopen(table, "re");
	if (!file)
	{
		return;
	}
	while (fgets(line, sizeof(line), file))
	{
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s "
				   "%*s %*u %*u %lu", &number, &state, &inode) == 3 &&
			number == port && state == LISTEN)
		{
			array_insert(inodes, ARRAY_TAIL, &inode);
		}
	}
	fclose(file);
}

/**
 * Check if a descriptor is one of some sockets.
 */
static bool is_socket(const char *path, array_t *inodes)
{
	unsigned long inode, *current;
	enumerator_t *enumerator;
	bool found = FALSE;
	char target[64];
	ssize_t len;

	len = readlink(path, target, sizeof(target) - 1);
	if (len == -1)
	{
		return FALSE;
	}
	target[len] = '\0';
	if (sscanf(target, "socket:[%lu]", &inode) != 1)
	{
		return FALSE;
	}
	enumerator = array_create_enumerator(inodes);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		found = *current == inode;
	}
	enumerator->destroy(enumerator);
	return found;
}

/**
 * Check if a process has one of some sockets.
 */
static bool has_socket(const char *pid, array_t *inodes)
{
	struct dirent *entry;
	bool found = FALSE;
	char path[300];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
	{
		return FALSE;
	}
	while (!found && (entry = readdir(dir)))
	{
		snprintf(path, sizeof(path), "/proc/%s/fd/%s", pid, entry->d_name);
		found = is_socket(path, inodes);
	}
	closedir(dir);
	return found;
}

/**
 * Get the name of a process.
 */
static void get_name(const char *pid, char *name, size_t len)
{
	char path[300];
	FILE *file;

	snprintf(name, len, "unknown");
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (file)
	{
		if (fgets(name, len, file))
		{
			name[strcspn(name, "\n")] = '\0';
		}
		fclose(file);
	}
}

/*
 * Described in header
 */
bool esptcp_holder_find(uint16_t port, pid_t *pid, char *name, size_t len)
{
	struct dirent *entry;
	array_t *inodes;
	bool found = FALSE;
	DIR *dir;

	inodes = array_create(sizeof(unsigned long), 0);
	add_inodes("/proc/net/tcp", port, inodes);
	add_inodes("/proc/net/tcp6", port, inodes);
	dir = array_count(inodes) ? opendir("/proc") : NULL;
	while (dir && !found && (entry = readdir(dir)))
	{
		if (isdigit(*entry->d_name) && has_socket(entry->d_name, inodes))
		{
			*pid = atoi(entry->d_name);
			get_name(entry->d_name, name, len);
			found = TRUE;
		}
	}
	if (dir)
	{
		closedir(dir);
	}
	array_destroy(inodes);
	return found;
}
