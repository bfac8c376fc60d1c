/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/stat, as the kernel writes it. */
#ifndef TASKSTAT_H
#define TASKSTAT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * struct taskstat - the contents of /proc/PID/stat
 * @name: the command name, to be freed by the caller; any bytes but zero
 * @fields: the text after the name: a blank, then the third field, the state
 */
struct taskstat {
	char		*name;
	const char	*fields;
};

/* taskstat_read() - read the file; false with errno if the task is gone or hidden */
bool taskstat_read(struct taskstat *stat, pid_t pid);

/*
 * taskstat_read_thread() - read /proc/PID/task/PID/stat instead
 *
 * The two differ in the CPU time: here it is that of the thread alone.
 */
bool taskstat_read_thread(struct taskstat *stat, pid_t pid);

#endif /* TASKSTAT_H */
