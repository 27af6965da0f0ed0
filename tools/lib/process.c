// SPDX-License-Identifier: GPL-2.0
/*
 * Finds out which process has a socket open, by looking at the descriptors of
 * all in /proc. Those of other users are shown to root only.
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "process.h"

static void read_name(int pid, char name[PROCESS_NAMELEN])
{
	char path[64];
	FILE *file;

	snprintf(name, PROCESS_NAMELEN, "?");
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return;
	if (fgets(name, PROCESS_NAMELEN, file))
		name[strcspn(name, "\n")] = '\0';
	fclose(file);
	/* Whoever holds a port has chosen it, for root's terminal perhaps. */
	for (; *name; name++) {
		if (*name < ' ' || *name > '~')
			*name = '?';
	}
}

/* Everybody may choose a name, but not whose file the program is. charon drops
 * root where it is told to, so the user who runs it says nothing.
 */
static bool is_charon(int pid)
{
	char path[64], target[PATH_MAX];
	struct stat program;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0 || stat(path, &program))
		return false;
	target[length] = '\0';

	return !program.st_uid && !strncmp(basename(target), "charon",
					   strlen("charon"));
}

static void look_at(struct process_list *list, int pid)
{
	struct process process = { .pid = pid, .is_charon = is_charon(pid) };
	unsigned long long inode;
	struct dirent *entry;
	char path[64];
	char link[64];
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;

	read_name(pid, process.name);
	while ((entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, link,
				 sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = '\0';
		if (sscanf(link, "socket:[%llu]", &inode) != 1)
			continue;
		process.inode = inode;
		list->item = memory_grow(list->item, list->count, 1,
					 sizeof(*list->item));
		list->item[list->count++] = process;
	}
	closedir(dir);
}

static int by_inode(const void *a, const void *b)
{
	const struct process *left = a, *right = b;

	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;

	return left->pid - right->pid;
}

/**
 * process_list_take() - list all sockets that processes have open
 * @list: filled, as far as the caller may see; the caller frees its items
 */
void process_list_take(struct process_list *list)
{
	struct dirent *entry;
	DIR *dir;

	memset(list, 0, sizeof(*list));
	dir = opendir("/proc");
	if (!dir)
		return;

	while ((entry = readdir(dir))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at(list, atoi(entry->d_name));
	}
	closedir(dir);
	if (list->count)
		qsort(list->item, list->count, sizeof(*list->item), by_inode);
}

/**
 * process_find() - find the process that has a socket open
 * @list: what process_list_take() filled
 * @inode: of the socket
 *
 * Return: the process, of several the first one, or NULL
 */
const struct process *process_find(const struct process_list *list, __u64 inode)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (list->item[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->count || list->item[low].inode != inode)
		return NULL;

	return &list->item[low];
}
