// SPDX-License-Identifier: GPL-2.0-only
/* Shared by libFuzzer's targets: an input as a file that can be opened. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "target.h"

#include "recording.h"

static int file = -1;
static char path[32];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("input", 0);
	if (file < 0)
		err(2, "memfd");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return 0;
}

static void put(const void *bytes, size_t size)
{
	if (write(file, bytes, size) != (ssize_t)size)
		abort();
}

static void put_records(const void *bytes, size_t size)
{
	const struct rec_file head = { REC_MAGIC, REC_VERSION, 0 };
	size_t bound = ZSTD_compressBound(size);
	void *frame = malloc(bound);

	if (!frame)
		abort();
	put(&head, sizeof(head));
	put(frame, ZSTD_compress(frame, bound, bytes, size, -5));
	free(frame);
}

void target_write(const void *bytes, size_t size, bool records)
{
	if (ftruncate(file, 0) || lseek(file, 0, SEEK_SET))
		abort();
	if (records)
		put_records(bytes, size);
	else
		put(bytes, size);
}

const char *target_path(void)
{
	return path;
}
