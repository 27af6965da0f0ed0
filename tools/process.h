/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes, and the sockets that they have open.
 */
#ifndef ESPTCP_PROCESS_H
#define ESPTCP_PROCESS_H

#include <stddef.h>

#include <linux/types.h>

/* TASK_COMM_LEN of the kernel */
#define PROCESS_NAMELEN	16

/**
 * struct process - a process that has a socket open
 * @inode: of the socket
 * @pid: of the process
 * @name: of its program, cut off
 */
struct process {
	__u64 inode;
	int pid;
	char name[PROCESS_NAMELEN];
};

struct process_list {
	struct process *item;
	size_t count;
};

void process_list_take(struct process_list *list);
const struct process *process_of(const struct process_list *list, __u64 inode);

#endif /* ESPTCP_PROCESS_H */
