// SPDX-License-Identifier: GPL-2.0-only
/* A file that appears whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "wholefile.h"

/* "/proc/self/fd/" and the digits of an int */
#define FD_LINK_SIZE 32

static void fd_link(int fd, char link[FD_LINK_SIZE])
{
	snprintf(link, FD_LINK_SIZE, "/proc/self/fd/%d", fd);
}

/*
 * Opens a file without a name in the directory of @path, so that a killed cpctl
 * leaves nothing. Returns -1 if the file system does not support O_TMPFILE, or if
 * /proc, which link_and_rename() needs, is not mounted.
 */
static int open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash + 1 - path)) :
			       strdup(".");
	char link[FD_LINK_SIZE];
	int fd;

	if (!folder)
		return -1;
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	free(folder);
	if (fd < 0)
		return -1;
	fd_link(fd, link);
	if (!faccessat(AT_FDCWD, link, F_OK, AT_SYMLINK_NOFOLLOW))
		return fd;
	close(fd);
	return -1;
}

static int open_named(struct wholefile *file)
{
	int fd;

	if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
		file->temporary = NULL;
		return -1;
	}
	/* mkostemp() creates the file with mode 0600. */
	fd = mkostemp(file->temporary, O_CLOEXEC);
	if (fd < 0) {
		free(file->temporary);
		file->temporary = NULL;
	}
	return fd;
}

int wholefile_open(struct wholefile *file, const char *path, bool keep_part)
{
	struct stat st;

	file->path = path;
	file->temporary = NULL;
	if (!strcmp(path, "-")) {
		/* A duplicate, because wholefile_keep() and wholefile_drop() close it. */
		file->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
		return file->fd < 0 ? -1 : 0;
	}
	if (!lstat(path, &st) && !S_ISREG(st.st_mode) &&
	    !S_ISLNK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	file->fd = keep_part ? -1 : open_nameless(path);
	if (file->fd < 0)
		file->fd = open_named(file);
	return file->fd < 0 ? -1 : 0;
}

void wholefile_diagnose(const char *path)
{
	if (errno == EEXIST)
		warnx("cannot write %s: it is not a regular file", path);
	else
		warn("cannot write %s", path);
}

/* Returns a name that no file has yet, to be freed by the caller. */
static char *unused_name(const char *path)
{
	unsigned int number;
	char *name;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number) ||
	    asprintf(&name, "%s.%08x", path, number) < 0)
		return NULL;
	return name;
}

/* Two steps because link(2) does not replace a file, but rename(2) does. */
static int link_and_rename(const char *link, const char *path)
{
	char *name = unused_name(path);
	int ret = -1;

	if (name && !linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW)) {
		ret = rename(name, path);
		if (ret)
			unlink(name);
	}
	free(name);
	return ret;
}

static int link_nameless(int fd, const char *path)
{
	char link[FD_LINK_SIZE];
	sigset_t all, old;
	int ret;

	fd_link(fd, link);
	ret = linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
	if (!ret || errno != EEXIST)
		return ret;
	/* A fatal signal between link() and rename() would leave the unused name. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ret = link_and_rename(link, path);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

static int give_name(struct wholefile *file)
{
	if (file->temporary)
		return rename(file->temporary, file->path);
	return link_nameless(file->fd, file->path);
}

int wholefile_show(struct wholefile *file)
{
	char *name = strdup(file->path);

	if (!name || fsync(file->fd) || give_name(file)) {
		free(name);
		return -1;
	}
	free(file->temporary);
	file->temporary = name;
	return 0;
}

int wholefile_keep(struct wholefile *file)
{
	int error;

	if (!strcmp(file->path, "-"))
		return close(file->fd);
	/* Some file systems report ENOSPC only here. */
	if (fsync(file->fd) || give_name(file))
		goto err_drop;
	close(file->fd);
	free(file->temporary);
	return 0;

err_drop:
	error = errno;
	wholefile_drop(file);
	errno = error;
	return -1;
}

int wholefile_keep_part(struct wholefile *file)
{
	/* No fsync(): the file is incomplete anyway. */
	if (give_name(file))
		return -1;
	close(file->fd);
	free(file->temporary);
	return 0;
}

void wholefile_drop(struct wholefile *file)
{
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	close(file->fd);
}
