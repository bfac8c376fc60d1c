/* SPDX-License-Identifier: GPL-2.0-only */
/* A process of cpctl's that reads what somebody hostile may have written. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

/* The descriptors of a confined process; it has no others. */
enum {
	CONFINE_SOCKET = 3,	/* to cpctl */
	CONFINE_ROOT,		/* the slave's root directory */
	CONFINE_HOST,		/* cpctl's own */
};

/*
 * struct confinement - what a process is left with
 * @socket: becomes CONFINE_SOCKET
 * @root: becomes CONFINE_ROOT; -1 when it is not known
 * @uid: whose files it may read, if cpctl is root
 * @gid: likewise
 * @parent: the process that it is to end with
 */
struct confinement {
	int	socket;
	int	root;
	uid_t	uid;
	gid_t	gid;
	pid_t	parent;
};

/*
 * confine() - give up all that the calling process does not need
 *
 * From then on it has no terminal, no privilege, and no file but the descriptors
 * above. Whatever a library opens by open(2) is opened by safeopen(), under the
 * slave's root directory; other system calls than those that reading takes
 * fail. It has a limit of memory.
 *
 * Return: false when that cannot be had; it must end then.
 */
bool confine(const struct confinement *confinement);

/* confine_deadline() - from now on, the process may compute for this many seconds */
void confine_deadline(int seconds);

#endif /* CONFINE_H */
