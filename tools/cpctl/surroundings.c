// SPDX-License-Identifier: GPL-2.0-only
/* What a checkpoint does not hold, and what it takes to make sense of one. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mapping.h"
#include "safeopen.h"
#include "slurp.h"
#include "surroundings.h"

/* The user and the group that have no files. */
#define NOBODY 65534

#define NSEC_PER_SEC 1000000000ULL

/* The last of four ids is the one that counts for files; nobody's when unknown. */
static unsigned int file_id(const char *status, const char *name)
{
	const char *line = status ? strstr(status, name) : NULL;
	unsigned int id = NOBODY;

	if (line)
		sscanf(line + strlen(name), "%*u %*u %*u %u", &id);
	return id;
}

void surroundings_open(struct surroundings *around, pid_t pid)
{
	char path[32], *status;
	size_t size;

	memset(around, 0, sizeof(*around));
	around->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = slurp(path, &size);
	around->uid = file_id(status, "\nUid:\t");
	around->gid = file_id(status, "\nGid:\t");
	free(status);
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	around->root = open(path, O_PATH | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	around->mem = open(path, O_RDONLY | O_CLOEXEC);
}

void surroundings_refresh(struct surroundings *around)
{
	char path[32], *maps;
	struct timespec now;
	size_t size;

	clock_gettime(CLOCK_MONOTONIC, &now);
	around->time = (uint64_t)now.tv_sec * NSEC_PER_SEC +
		       (uint64_t)now.tv_nsec;
	pages_free(&around->pages);
	snprintf(path, sizeof(path), "/proc/%d/maps", around->pid);
	maps = slurp(path, &size);
	/* It is empty when the process is ending. */
	if (!maps || !size) {
		free(maps);
		return;
	}
	free(around->maps);
	around->maps = maps;
}

const unsigned char *surroundings_page(struct surroundings *around,
				       uint64_t addr)
{
	const unsigned char *known = pages_find(&around->pages, addr);
	unsigned char *bytes;

	if (known || around->mem < 0)
		return known;
	bytes = malloc(PAGE_BYTES);
	if (!bytes)
		return NULL;
	if (pread(around->mem, bytes, PAGE_BYTES, (off_t)addr) != PAGE_BYTES) {
		free(bytes);
		return NULL;
	}
	return pages_add(&around->pages, addr, bytes) ? NULL : bytes;
}

bool surroundings_read(struct surroundings *around, uint64_t addr, void *to,
		       size_t len)
{
	unsigned char *next = to;

	while (len) {
		uint64_t into = addr % PAGE_BYTES;
		size_t part = PAGE_BYTES - into;
		const unsigned char *page;

		if (part > len)
			part = len;
		page = surroundings_page(around, addr - into);
		if (!page)
			return false;
		memcpy(next, page + into, part);
		next += part;
		addr += part;
		len -= part;
	}
	return true;
}

int surroundings_mapped(const struct surroundings *around, uint64_t start)
{
	const char *text = around->maps;
	struct mapping mapping;
	char path[80];

	while (around->pid && mapping_next(&text, &mapping)) {
		if (mapping.start != start)
			continue;
		snprintf(path, sizeof(path),
			 "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, around->pid,
			 mapping.start, mapping.end);
		return safeopen_link(path);
	}
	return -1;
}

void surroundings_close(struct surroundings *around)
{
	if (around->mem >= 0)
		close(around->mem);
	if (around->root >= 0)
		close(around->root);
	free(around->maps);
	pages_free(&around->pages);
}
