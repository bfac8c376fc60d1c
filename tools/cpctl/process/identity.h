/* SPDX-License-Identifier: GPL-2.0-only */
/* The identity of a process: the data of a core besides registers and memory. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * struct identity - the identity of a task
 * @task: its thread id
 * @process: the id of its process
 * @parent: the parent of the process
 * @group: its process group
 * @session: its session
 * @uid: its real user id
 * @gid: its real group id
 * @state: the letter of its state
 * @name: its command name
 * @command: its arguments, separated by blanks
 * @auxv: its auxiliary vector, in 32-bit or 64-bit format as the kernel gives it
 * @auxv_size: the length of @auxv in bytes
 */
struct identity {
	pid_t	task;
	pid_t	process;
	pid_t	parent;
	pid_t	group;
	pid_t	session;
	uid_t	uid;
	gid_t	gid;
	char	state;
	char	name[64];
	char	*command;
	char	*auxv;
	size_t	auxv_size;
};

/* identity_read() - read that of a living task; false with errno if the task is gone */
bool identity_read(struct identity *identity, pid_t pid);

/* identity_free() - free the members, and zero the struct */
void identity_free(struct identity *identity);

/* identity_compat() - does the process run a 32-bit program? */
bool identity_compat(const struct identity *identity);

/* identity_auxv() - the value of an entry of the auxiliary vector, or 0 without it */
unsigned long identity_auxv(const struct identity *identity,
			    unsigned long type);

#endif /* IDENTITY_H */
