// SPDX-License-Identifier: GPL-2.0-only
/* A file that appears whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "wholefile.h"

int wholefile_open(struct wholefile *file, const char *path)
{
	struct stat st;

	file->path = path;
	file->temporary = NULL;
	if (!strcmp(path, "-")) {
		/* Not every standard output can be written out of order. */
		file->fd = memfd_create("core", MFD_CLOEXEC);
		return file->fd < 0 ? -1 : 0;
	}
	if (!lstat(path, &st) && !S_ISREG(st.st_mode) &&
	    !S_ISLNK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	if (asprintf(&file->temporary, "%s.XXXXXX", path) < 0) {
		file->temporary = NULL;
		return -1;
	}
	/* It has mode 0600. */
	file->fd = mkostemp(file->temporary, O_CLOEXEC);
	if (file->fd < 0) {
		free(file->temporary);
		return -1;
	}
	return 0;
}

void wholefile_diagnose(const char *path)
{
	if (errno == EEXIST)
		warnx("cannot write %s: it is not a regular file", path);
	else
		warn("cannot write %s", path);
}

static int print(int fd)
{
	struct stat st;
	off_t offset = 0;

	if (fstat(fd, &st))
		return -1;
	while (offset < st.st_size) {
		char buffer[65536];
		ssize_t size = pread(fd, buffer, sizeof(buffer), offset);

		if (size <= 0 || fwrite(buffer, 1, (size_t)size, stdout) !=
					 (size_t)size)
			return -1;
		offset += size;
	}
	return fflush(stdout) ? -1 : 0;
}

int wholefile_show(struct wholefile *file)
{
	char *name = file->temporary ? strdup(file->path) : NULL;

	if (!name || fsync(file->fd) || rename(file->temporary, name)) {
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

	if (!file->temporary) {
		if (print(file->fd))
			goto err_drop;
		close(file->fd);
		return 0;
	}
	/* Some file systems find out only now that there is no room. */
	if (fsync(file->fd) || rename(file->temporary, file->path))
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
	/* Whether all has arrived does not matter. */
	if (rename(file->temporary, file->path))
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
