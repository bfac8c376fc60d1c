// SPDX-License-Identifier: GPL-2.0-only
/* Files of /proc, whose size is not known before they are read. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "slurp.h"

/* A limit, because the command line of a process can fill its address space. */
#define SIZE_MAX_READ (512UL << 20)

/* Reads to the end of the file, or until SIZE_MAX_READ is reached. */
static char *read_all(int fd, size_t *size)
{
	char *text = NULL, *more;
	size_t room = 0;
	ssize_t got;

	*size = 0;
	do {
		if (room - *size < 2) {
			room = room ? room * 2 : 16384;
			more = realloc(text, room);
			if (!more)
				goto err_free;
			text = more;
		}
		got = read(fd, text + *size, room - *size - 1);
		if (got < 0)
			goto err_free;
		*size += (size_t)got;
	} while (got && *size < SIZE_MAX_READ);
	text[*size] = '\0';
	return text;

err_free:
	free(text);
	return NULL;
}

char *slurp(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0)
		return NULL;
	text = read_all(fd, size);
	close(fd);
	return text;
}

char *slurp_task(pid_t pid, const char *name, size_t *size)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return slurp(path, size);
}
