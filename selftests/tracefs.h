/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access to tracefs, for tests that trace the kernel.
 */
#ifndef _CP_SELFTESTS_TRACEFS_H
#define _CP_SELFTESTS_TRACEFS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRACEFS	"/sys/kernel/tracing/"

/* Writes @text to a file of tracefs; with O_APPEND in @flags, appends it. */
static inline bool tracefs_put(const char *file, const char *text, int flags)
{
	char path[128];
	size_t size = strlen(text);
	bool written;
	int fd;

	snprintf(path, sizeof(path), TRACEFS "%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return false;
	written = write(fd, text, size) == (ssize_t)size;
	return !close(fd) && written;
}

static inline bool tracefs_write(const char *file, const char *text)
{
	return tracefs_put(file, text, O_TRUNC);
}

#endif /* _CP_SELFTESTS_TRACEFS_H */
