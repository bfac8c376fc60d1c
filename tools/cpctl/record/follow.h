/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recording a process with all its descendants. A process is the master of at most one
 * slave, so cpctl starts a recorder process for each of them, and supervises the recorders.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "recopts.h"

/*
 * follow() - record a process, and each process that it and its descendants create
 * @command: the program to start, and its arguments; NULL for @pid
 * @pid: the process, if it runs already
 * @separately: whether each process gets a file of its own: the path is that of @output, a
 *	dot, and the process id
 * @options: the options; without @output, the name is recording.PID
 *
 * Returns when no recorded process is left, even if the first one has ended before.
 *
 * Return: the exit status of the program; without @command, an exit status, on failure
 * after printing the reason.
 */
int follow(char **command, pid_t pid, bool separately,
	   const struct record_options *options);

#endif /* FOLLOW_H */
