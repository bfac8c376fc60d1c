// SPDX-License-Identifier: GPL-2.0-only
/* The parts of a recording of several processes. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "message.h"
#include "recparts.h"

bool recpart_crashed(const struct rec_part *part)
{
	if (part->reason != CP_END_EXITED || !WIFSIGNALED(part->status))
		return false;
	switch (WTERMSIG(part->status)) {
	case SIGALRM:
	case SIGHUP:
	case SIGINT:
	case SIGPIPE:
	case SIGTERM:
	case SIGUSR1:
	case SIGUSR2:
		return false;
	default:
		return true;
	}
}

static struct recpart *add(struct recparts *parts)
{
	if (parts->nr == REC_PARTS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	if (parts->nr == parts->room) {
		size_t room = parts->room ? 2 * parts->room : 16;
		struct recpart *more = reallocarray(parts->parts, room,
						    sizeof(*more));

		if (!more)
			return NULL;
		parts->parts = more;
		parts->room = room;
	}
	return &parts->parts[parts->nr++];
}

/*
 * Those that crashed come in the order of their ends, which is that of the file: the first
 * crash may have caused the others.
 */
static int by_importance(const void *a, const void *b)
{
	const struct recpart *left = a, *right = b;
	const bool crashed = recpart_crashed(&left->head);

	if (crashed != recpart_crashed(&right->head))
		return crashed ? -1 : 1;
	if (!crashed && left->head.order != right->head.order)
		return left->head.order < right->head.order ? -1 : 1;
	return left->offset < right->offset ? -1 : 1;
}

/* Reads a part at the current offset. Returns 1; 0 at the end of the file; or -1. */
static int read_part(struct recparts *parts, FILE *file, uint64_t size)
{
	struct rec_part head;
	struct recpart *part;
	size_t nr = fread(&head, 1, sizeof(head), file);
	off_t offset = ftello(file);

	if (ferror(file) || offset < 0)
		return -1;
	if (nr < sizeof(head)) {
		parts->cut = nr;
		return 0;
	}
	part = add(parts);
	if (!part)
		return -1;
	part->head = head;
	part->head.name[REC_NAME_SIZE - 1] = '\0';
	part->offset = (uint64_t)offset;
	/* The reader of the part reports that it is cut off. */
	if (head.size > size - part->offset)
		return 0;
	return fseeko(file, offset + (off_t)head.size, SEEK_SET) ? -1 : 1;
}

int recparts_read(struct recparts *parts, FILE *file)
{
	struct stat st;
	int ret;

	if (fstat(fileno(file), &st))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = ESPIPE;
		return -1;
	}
	do {
		ret = read_part(parts, file, (uint64_t)st.st_size);
	} while (ret > 0);
	if (!ret && parts->nr)
		qsort(parts->parts, parts->nr, sizeof(*parts->parts),
		      by_importance);
	return ret;
}

/* Is the file one of several processes, and can it be read anywhere? */
static bool has_parts(FILE *file)
{
	struct rec_file head;
	struct stat st;

	return !fstat(fileno(file), &st) && S_ISREG(st.st_mode) &&
	       fread(&head, sizeof(head), 1, file) == 1 &&
	       !memcmp(head.magic, REC_MAGIC, sizeof(head.magic)) &&
	       head.version == REC_VERSION_PARTS;
}

bool recparts_open(struct recparts *parts, const char *path)
{
	struct stat st;
	FILE *file;
	int ret;

	/* A pipe can be read only once: that is left to its reader. */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return true;
	file = fopen(path, "re");
	ret = file ? 0 : -1;
	if (file && has_parts(file))
		ret = recparts_read(parts, file);
	if (ret)
		warn("cannot read %s", path);
	if (file)
		fclose(file);
	if (!ret && parts->cut)
		warnx("%s: cut off: recordings of some processes are missing", path);
	return !ret;
}

const struct recpart *recparts_find(const struct recparts *parts,
				    const struct partchoice *choice)
{
	const pid_t process = choice->process;
	size_t i;

	if (choice->index)
		return choice->index <= parts->nr ?
			       &parts->parts[choice->index - 1] : NULL;
	for (i = 0; i < parts->nr; i++) {
		if (!process || parts->parts[i].head.process == process)
			return &parts->parts[i];
	}
	return NULL;
}

void recparts_free(struct recparts *parts)
{
	free(parts->parts);
	memset(parts, 0, sizeof(*parts));
}
