/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes, and the sockets that they have open.
 */
#ifndef ESPTCP_PROCESS_H
#define ESPTCP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* TASK_COMM_LEN of the kernel */
#define PROCESS_NAMELEN	16

/**
 * struct process - a process that has a socket open
 * @inode: of the socket
 * @pid: of the process
 * @name: that it has chosen, cut off
 * @is_charon: its program is charon
 */
struct process {
	__u64 inode;
	int pid;
	char name[PROCESS_NAMELEN];
	bool is_charon;
};

struct process_list {
	struct process *item;
	size_t count;
};

void process_list_take(struct process_list *list);
const struct process *process_find(const struct process_list *list, __u64 inode);

#endif /* ESPTCP_PROCESS_H */
