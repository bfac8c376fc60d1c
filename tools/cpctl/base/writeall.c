// SPDX-License-Identifier: GPL-2.0-only
/* Writing all bytes of a buffer. */
#include <errno.h>
#include <unistd.h>

#include "writeall.h"

int writeall_unless(int fd, const void *bytes, size_t size, bool (*stop)(void))
{
	const char *next = bytes;

	while (size) {
		ssize_t written;

		if (stop && stop()) {
			errno = EINTR;
			return -1;
		}
		written = write(fd, next, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		next += written;
		size -= (size_t)written;
	}
	return 0;
}

int writeall(int fd, const void *bytes, size_t size)
{
	return writeall_unless(fd, bytes, size, NULL);
}
