// SPDX-License-Identifier: GPL-2.0-only
/* The output of a verb: the standard output, or a file. */
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"
#include "wholefile.h"

/* The only one: a verb prints to at most one file. */
static struct wholefile file;

/*
 * A file that a verb opens must not get the number of a standard stream: messages
 * would be written into the file. With O_PATH, reading and writing fail with EBADF
 * as on a closed descriptor. With O_CLOEXEC, a started command finds the stream
 * closed.
 */
void output_guard(void)
{
	int fd;

	do {
		fd = open("/", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int output_check(const char *path)
{
	int flags;

	if (path && strcmp(path, "-"))
		return EXIT_OK;
	flags = fcntl(STDOUT_FILENO, F_GETFL);
	if (flags < 0 || flags & O_PATH) {
		warnx("cannot print: standard output is closed");
		return EXIT_REFUSED;
	}
	if ((flags & O_ACCMODE) == O_RDONLY) {
		warnx("cannot print: standard output is not open for writing");
		return EXIT_REFUSED;
	}
	return EXIT_OK;
}

/* A device, such as /dev/null, cannot be replaced by a temporary file. */
static FILE *open_device(const char *path)
{
	struct stat st;
	FILE *out;
	int fd;

	if (lstat(path, &st) || !S_ISCHR(st.st_mode))
		return NULL;
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	out = fdopen(fd, "w");
	if (!out)
		close(fd);
	return out;
}

static FILE *open_file(const char *path)
{
	FILE *out;

	if (wholefile_open(&file, path, false)) {
		wholefile_diagnose(path);
		return NULL;
	}
	/* A duplicate: wholefile_keep() and wholefile_drop() close @file.fd. */
	out = fdopen(fcntl(file.fd, F_DUPFD_CLOEXEC, 0), "w");
	if (!out) {
		warn("cannot write %s", path);
		wholefile_drop(&file);
	}
	return out;
}

FILE *output_open(const char *path)
{
	FILE *out;

	file = (struct wholefile){};
	if (!path || !strcmp(path, "-"))
		return stdout;
	out = open_device(path);
	return out ? out : open_file(path);
}

int output_flush(FILE *out)
{
	if (!fflush(out) && !ferror(out))
		return EXIT_OK;
	if (interrupted()) {
		/* A reader of the pipe may never read the rest: do not wait. */
		__fpurge(out);
		clearerr(out);
		return EXIT_OK;
	}
	warn("cannot print");
	return EXIT_REFUSED;
}

/* Keeps the file after a failure, too, unless the file is empty then. */
static bool keep_file(bool written, int status)
{
	struct stat st;

	if (written && (status == EXIT_OK ||
			(!fstat(file.fd, &st) && st.st_size)))
		return !wholefile_keep(&file);
	wholefile_drop(&file);
	return written;
}

int output_close(FILE *out, const char *path, int status)
{
	bool written;

	if (out == stdout)
		return status;
	written = !fclose(out);
	if (file.path)
		written = keep_file(written, status);
	if (written || status != EXIT_OK)
		return status;
	warn("cannot write %s", path);
	return EXIT_REFUSED;
}
