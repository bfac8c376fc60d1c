// SPDX-License-Identifier: GPL-2.0-only
/* Opening files that a slave, or a file of its, has named. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "safeopen.h"

/* openat2(2), the only open that the namer's filter lets pass */
static int open_how(int at, const char *path, uint64_t flags, uint64_t resolve)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = resolve,
	};

	return (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
}

/*
 * Opens what @found refers to. O_PATH called no driver, so the kind of file is
 * known before anything happens, and this open cannot reach another file.
 * O_NONBLOCK: the file's owner may hold a lease on it.
 */
static int open_found(int found)
{
	struct stat st;
	char path[32];
	int fd;

	if (found < 0)
		return -1;
	if (fstat(found, &st) || !S_ISREG(st.st_mode)) {
		close(found);
		errno = EINVAL;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	fd = open_how(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	close(found);
	return fd;
}

int safeopen(int root, const char *path)
{
	return open_found(open_how(root, path, O_PATH,
				   RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS));
}

int safeopen_link(const char *link)
{
	return open_found(open_how(AT_FDCWD, link, O_PATH, 0));
}
