/* SPDX-License-Identifier: GPL-2.0-only */
/* cpctl dump of all memory of a living process. */
#ifndef DUMPWHOLE_H
#define DUMPWHOLE_H

#include <sys/types.h>

#include "options.h"

/*
 * dump_whole() - write a core of all threads and all private memory of a process
 * @pid: the process, or the thread that debuggers show first
 * @path: the file
 *
 * Return: an exit status.
 */
int dump_whole(pid_t pid, const struct options *options, const char *path);

#endif /* DUMPWHOLE_H */
