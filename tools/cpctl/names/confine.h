/* SPDX-License-Identifier: GPL-2.0-only */
/* Confining a process of cpctl that reads files which an attacker may have written. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

/* The descriptors of a confined process; it has no others. */
enum {
	CONFINE_SOCKET = 3,	/* to cpctl */
	CONFINE_ROOT,		/* the slave's root directory */
	CONFINE_HOST,		/* cpctl's own root directory */
};

/*
 * struct confinement - the resources that a confined process keeps
 * @socket: the descriptor that becomes CONFINE_SOCKET
 * @root: the descriptor that becomes CONFINE_ROOT; -1 if there is none
 * @uid: the user id to change to, if cpctl is root
 * @gid: the group id to change to, likewise
 * @parent: the process whose end kills the confined process
 */
struct confinement {
	int	socket;
	int	root;
	uid_t	uid;
	gid_t	gid;
	pid_t	parent;
};

/*
 * confine() - drop all privileges that the calling process does not need
 *
 * From then on, the process has no controlling terminal, no capabilities, and no
 * descriptors but those above. open(2) and openat(2) become safeopen() under the
 * slave's root directory. All system calls fail but those needed to read files, to
 * allocate memory, to answer and to exit. The memory of the process is limited.
 *
 * Return: false on failure; the process must exit then.
 */
bool confine(const struct confinement *confinement);

/* confine_deadline() - kill the process after it has used @seconds of CPU time */
void confine_deadline(int seconds);

#endif /* CONFINE_H */
