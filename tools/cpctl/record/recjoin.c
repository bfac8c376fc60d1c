// SPDX-License-Identifier: GPL-2.0-only
/* The file of a recording of several processes. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "recjoin.h"
#include "writeall.h"

static int cannot_write(const struct recjoin *join)
{
	warn("cannot write %s", join->file.path);
	return -1;
}

int recjoin_open(struct recjoin *join, const char *path)
{
	struct rec_file head = { .version = REC_VERSION_PARTS };

	memset(join, 0, sizeof(*join));
	if (wholefile_open(&join->file, path, true)) {
		wholefile_diagnose(path);
		join->file.path = NULL;
		return -1;
	}
	memcpy(head.magic, REC_MAGIC, sizeof(head.magic));
	join->complete = sizeof(head);
	if (!writeall(join->file.fd, &head, sizeof(head)))
		return 0;
	cannot_write(join);
	recjoin_drop(join);
	return -1;
}

int recjoin_reset(struct recjoin *join)
{
	if (!ftruncate(join->file.fd, join->complete) &&
	    lseek(join->file.fd, join->complete, SEEK_SET) >= 0)
		return 0;
	return cannot_write(join);
}

/* Copies the rest of @from. Returns the number of bytes, or -1. */
static int64_t copy(int to, int from)
{
	static char buffer[1 << 16];
	int64_t size = 0;
	ssize_t nr;

	while ((nr = read(from, buffer, sizeof(buffer))) > 0) {
		if (writeall(to, buffer, (size_t)nr))
			return -1;
		size += nr;
	}
	return nr < 0 ? -1 : size;
}

/* The size is written last: a part that is cut off before extends to the end of the file. */
static int write_part(int to, int from, struct rec_part *part)
{
	off_t begin = lseek(to, 0, SEEK_CUR);
	int64_t size;

	if (begin < 0 || writeall(to, part, sizeof(*part)))
		return -1;
	size = copy(to, from);
	if (size < 0)
		return -1;
	part->size = (uint64_t)size;
	return pwrite(to, part, sizeof(*part), begin) == sizeof(*part) ? 0 : -1;
}

int recjoin_add(struct recjoin *join, struct rec_part *part, const char *path,
		bool running)
{
	int from, ret;

	if (!running && recjoin_reset(join))
		return -1;
	if (join->nr == REC_PARTS_MAX) {
		warnx("%s is full: the recording of process %d stays in %s",
		      join->file.path, part->process, path);
		return -1;
	}
	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0) {
		warn("cannot read %s", path);
		return -1;
	}
	part->size = UINT64_MAX;
	ret = write_part(join->file.fd, from, part);
	close(from);
	if (ret) {
		cannot_write(join);
		recjoin_reset(join);
		return -1;
	}
	if (running)
		return 0;
	join->nr++;
	join->complete = lseek(join->file.fd, 0, SEEK_CUR);
	return 0;
}

int recjoin_show(struct recjoin *join)
{
	return wholefile_show(&join->file) ? cannot_write(join) : 0;
}

int recjoin_keep(struct recjoin *join)
{
	return wholefile_keep(&join->file) ? cannot_write(join) : 0;
}

void recjoin_drop(struct recjoin *join)
{
	wholefile_drop(&join->file);
	join->file.path = NULL;
}
