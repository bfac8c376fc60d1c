// SPDX-License-Identifier: GPL-2.0-only
/* Data of the slave that a checkpoint does not contain: mappings, files, memory. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mapping.h"
#include "safeopen.h"
#include "slurp.h"
#include "surroundings.h"

/* The user id and group id for an unknown owner. */
#define NOBODY 65534

/* The last of the four ids in a line of /proc/PID/status, the file system id. */
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

bool surroundings_alive(const struct surroundings *around)
{
	char byte;

	/* If the address space is gone, pread() returns 0; else EIO or a byte. */
	return around->mem < 0 || pread(around->mem, &byte, 1, 0) != 0;
}

char *surroundings_maps(const struct surroundings *around)
{
	char path[32], *maps;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/maps", around->pid);
	maps = slurp(path, &size);
	/* The file is empty while the process exits. */
	if (maps && size && surroundings_alive(around))
		return maps;
	free(maps);
	return NULL;
}

void surroundings_replace(struct surroundings *around, char **maps)
{
	free(around->maps);
	around->maps = *maps;
	*maps = NULL;
}

void surroundings_refresh(struct surroundings *around)
{
	uint64_t now = (uint64_t)clock_ns();
	char *maps = surroundings_maps(around);

	if (!maps)
		return;
	around->time = now;
	pages_free(&around->pages);
	surroundings_replace(around, &maps);
}

void surroundings_keep(struct surroundings *around)
{
	const char *text = around->maps;
	struct mapping mapping;
	uint64_t addr;

	while (mapping_next(&text, &mapping)) {
		if (!mapping_is(&mapping, "[vdso]"))
			continue;
		for (addr = mapping.start; addr < mapping.end;
		     addr += PAGE_BYTES)
			surroundings_page(around, addr);
	}
	surroundings_inherit(around, around);
}

void surroundings_inherit(struct surroundings *around,
			  struct surroundings *early)
{
	pages_free(&around->kept);
	around->kept = early->pages;
	memset(&early->pages, 0, sizeof(early->pages));
}

void surroundings_stretch(const struct surroundings *around, uint64_t addr,
			  size_t max, struct stretch *stretch)
{
	ssize_t size;

	stretch->addr = addr - addr % PAGE_BYTES;
	stretch->bytes = malloc(max);
	if (!stretch->bytes)
		return;
	size = pread(around->mem, stretch->bytes, max, (off_t)stretch->addr);
	if (size > 0)
		stretch->size = (size_t)size - (size_t)size % PAGE_BYTES;
}

/* Adds a page with a copy of @bytes. Returns NULL without memory. */
static const unsigned char *add_copy(struct pages *pages, uint64_t addr,
				     const unsigned char *bytes)
{
	unsigned char *copy = malloc(PAGE_BYTES);

	if (!copy)
		return NULL;
	memcpy(copy, bytes, PAGE_BYTES);
	return pages_add(pages, addr, copy) ? NULL : copy;
}

void surroundings_add(struct surroundings *around,
		      const struct stretch *stretch)
{
	size_t at;

	for (at = 0; at < stretch->size; at += PAGE_BYTES) {
		if (!pages_find(&around->pages, stretch->addr + at))
			add_copy(&around->pages, stretch->addr + at,
				 stretch->bytes + at);
	}
}

static const unsigned char *kept_page(struct surroundings *around,
				      uint64_t addr)
{
	const unsigned char *kept = pages_find(&around->kept, addr);

	return kept ? add_copy(&around->pages, addr, kept) : NULL;
}

const unsigned char *surroundings_page(struct surroundings *around,
				       uint64_t addr)
{
	const unsigned char *known = pages_find(&around->pages, addr);
	unsigned char *bytes;

	if (known)
		return known;
	if (around->mem < 0)
		return kept_page(around, addr);
	bytes = malloc(PAGE_BYTES);
	if (!bytes)
		return NULL;
	if (pread(around->mem, bytes, PAGE_BYTES, (off_t)addr) != PAGE_BYTES) {
		free(bytes);
		return kept_page(around, addr);
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
	pages_free(&around->kept);
}
