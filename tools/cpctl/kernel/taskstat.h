/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/stat, as the kernel writes it. */
#ifndef TASKSTAT_H
#define TASKSTAT_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * struct taskstat - that line
 * @name: the command name, to be freed; any bytes but zero
 * @fields: what follows the name: a blank, then the third field, the state
 */
struct taskstat {
	char		*name;
	const char	*fields;
};

/* taskstat_read() - false with errno when there is no such task to be seen */
bool taskstat_read(struct taskstat *stat, pid_t pid);

#endif /* TASKSTAT_H */
