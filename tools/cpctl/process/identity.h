/* SPDX-License-Identifier: GPL-2.0-only */
/* Who a process is: what a core tells of it besides registers and memory. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * struct identity - of a task
 * @task: its thread id
 * @process: the id of its process
 * @parent: of the process
 * @group: its process group
 * @session: its session
 * @uid: its real user id
 * @gid: its real group id
 * @state: the letter of its state
 * @name: its command name
 * @command: its arguments, blanks in between
 * @auxv: the auxiliary vector, in the process's own format
 * @auxv_size: its length in bytes
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

/* identity_read() - of a living task; false with errno when it is gone */
bool identity_read(struct identity *identity, pid_t pid);

/* identity_free() - free what it holds; it is empty then. */
void identity_free(struct identity *identity);

/* identity_compat() - does it run 32-bit code? */
bool identity_compat(const struct identity *identity);

/* identity_auxv() - an entry of the auxiliary vector, 0 without it */
unsigned long identity_auxv(const struct identity *identity,
			    unsigned long type);

#endif /* IDENTITY_H */
