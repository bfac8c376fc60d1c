// SPDX-License-Identifier: GPL-2.0-only
/* The file of a core, which is written from its beginning to its end. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coreout.h"
#include "interrupt.h"
#include "pages.h"

static const unsigned char zeroes[16 * PAGE_BYTES];

/* A file that is appended to, or has contents already, must not have holes. */
static bool can_have_holes(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	return flags >= 0 && !(flags & O_APPEND) && !fstat(fd, &st) &&
	       S_ISREG(st.st_mode) && !st.st_size && !lseek(fd, 0, SEEK_CUR);
}

int coreout_open(struct coreout *out, int fd, bool compress)
{
	memset(out, 0, sizeof(*out));
	out->packer.fd = fd;
	out->packer.stop = interrupted;
	if (compress)
		return packer_compress(&out->packer);
	out->holes = can_have_holes(fd);
	return 0;
}

int coreout_write(struct coreout *out, const void *bytes, size_t size)
{
	out->at += size;
	if (out->packer.zstd)
		return packer_put(&out->packer, bytes, size, ZSTD_e_continue);
	return packer_write(&out->packer, bytes, size);
}

int coreout_skip(struct coreout *out, uint64_t size)
{
	if (out->holes) {
		out->at += size;
		return lseek(out->packer.fd, (off_t)out->at, SEEK_SET) < 0 ? -1 : 0;
	}
	while (size) {
		size_t part = size < sizeof(zeroes) ? size : sizeof(zeroes);

		if (coreout_write(out, zeroes, part))
			return -1;
		size -= part;
	}
	return 0;
}

int coreout_page(struct coreout *out)
{
	return coreout_skip(out, -out->at % PAGE_BYTES);
}

/* The length of the run of pages at @bytes that are all zeroes, or that are not. */
static size_t run_of(const unsigned char *bytes, size_t size, bool *empty)
{
	size_t at = 0;

	while (at < size) {
		size_t part = size - at < PAGE_BYTES ? size - at : PAGE_BYTES;
		bool now = !memcmp(bytes + at, zeroes, part);

		if (!at)
			*empty = now;
		if (now != *empty)
			break;
		at += part;
	}
	return at;
}

int coreout_memory(struct coreout *out, const unsigned char *bytes, size_t size)
{
	while (size) {
		bool empty = false;
		size_t run = run_of(bytes, size, &empty);

		if (empty ? coreout_skip(out, run) :
			    coreout_write(out, bytes, run))
			return -1;
		bytes += run;
		size -= run;
	}
	return 0;
}

int coreout_finish(struct coreout *out)
{
	if (out->packer.zstd)
		return packer_put(&out->packer, NULL, 0, ZSTD_e_end);
	/* A hole at the end. */
	return out->holes ? ftruncate(out->packer.fd, (off_t)out->at) : 0;
}

void coreout_close(struct coreout *out)
{
	int saved = errno;

	packer_free(&out->packer);
	errno = saved;
}
