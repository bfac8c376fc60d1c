// SPDX-License-Identifier: GPL-2.0-only
/* Opening files whose paths come from a slave or from one of the slave's files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "safeopen.h"

/* openat2(2) is the only open that the namer's seccomp filter allows. */
static int open_how(int at, const char *path, uint64_t flags, uint64_t resolve)
{
	const struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = resolve,
	};

	return (int)syscall(SYS_openat2, at, path, &how, sizeof(how));
}

/*
 * Opens the file of the O_PATH descriptor @found. Opening with O_PATH calls no driver,
 * so the type of the file is checked before the real open, which cannot reach another
 * file. Without O_NONBLOCK, a lease of the file's owner would block the open.
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
