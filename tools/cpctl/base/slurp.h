/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of /proc, whose size is not known before they are read. */
#ifndef SLURP_H
#define SLURP_H

#include <stddef.h>
#include <sys/types.h>

/*
 * slurp() - read a whole file, up to 512 MiB
 * @size: receives the number of bytes; a zero byte follows the last one
 *
 * Return: the bytes, to be freed by the caller, or NULL with errno.
 */
char *slurp(const char *path, size_t *size);

/* slurp_task() - slurp() for the file @name of /proc/PID */
char *slurp_task(pid_t pid, const char *name, size_t *size);

#endif /* SLURP_H */
