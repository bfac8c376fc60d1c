// SPDX-License-Identifier: GPL-2.0-only
/* A process at one instant, with all its memory: of a snapshot, or while it is held. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "mapping.h"

/* The column of the name in a line of /proc/PID/maps. */
#define NAME_COLUMN 73

/* An entry of /proc/PID/pagemap: the page is in memory, or in the swap area. */
#define PAGEMAP_EXISTS (3ULL << 62)

/* How many entries of it are read at a time: those of 2 MiB. */
#define PAGEMAP_ENTRIES 512

/* The name that the kernel gives to a file without a name. */
static const char deleted[] = " (deleted)";

static bool is_deleted(const char *name, size_t len)
{
	size_t tail = sizeof(deleted) - 1;

	return len >= tail && !memcmp(name + len - tail, deleted, tail);
}

static int add_area(struct image *image, const struct area *area)
{
	struct area *more;

	/* Grows by doubling: a process may have 65530 mappings. */
	if (!(image->nr & (image->nr - 1))) {
		more = reallocarray(image->areas, image->nr ? 2 * image->nr : 1,
				    sizeof(*more));
		if (!more)
			return -1;
		image->areas = more;
	}
	image->areas[image->nr++] = *area;
	return 0;
}

static int add_thread(struct image *image, const struct cp_snap *snap,
		      unsigned int i)
{
	const struct cp_checkpoint *cp = &cp_snap_thread(snap, i)->checkpoint;
	struct segment xstate = { .info.kind = CP_SEGMENT_XSTATE };
	struct thread thread = {};
	size_t size = 0;
	const void *bytes = cp_snap_xstate(snap, i, &size);

	copy_struct(&thread.snapshot.head, sizeof(thread.snapshot.head), cp,
		    cp->size);
	xstate.info.size = size;
	if (bytes && !segment_alloc(&xstate)) {
		memcpy(xstate.bytes, bytes, size);
		snapshot_add(&thread.snapshot, &xstate);
	}
	return instant_add(&image->instant, &thread);
}

/* Prints a mapping as the kernel does. */
static void print_mapping(FILE *out, const struct cp_snapshot_mapping *mapping,
			  const char *name)
{
	const uint32_t flags = mapping->flags;
	int len = fprintf(out, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64
			  " %02x:%02x %" PRIu64 " ",
			  (uint64_t)mapping->start, (uint64_t)mapping->end,
			  flags & CP_MAPPING_READ ? 'r' : '-',
			  flags & CP_MAPPING_WRITE ? 'w' : '-',
			  flags & CP_MAPPING_EXEC ? 'x' : '-',
			  flags & CP_MAPPING_SHARED ? 's' : 'p',
			  (uint64_t)mapping->offset, mapping->dev_major,
			  mapping->dev_minor, (uint64_t)mapping->inode);
	char *escaped = name ? mapping_escaped(name) : NULL;

	if (escaped)
		fprintf(out, "%*s%s", len < NAME_COLUMN ? NAME_COLUMN - len : 0,
			"", escaped);
	fputc('\n', out);
	free(escaped);
}

/* Adds the mapping number @i of the snapshot; returns as image_of_snap(). */
static int add_mapping(struct image *image, const struct cp_snap *snap,
		       unsigned int i, FILE *maps)
{
	const struct cp_snapshot_mapping *mapping = cp_snap_mapping(snap, i);
	const char *name = cp_snap_name(snap, i);
	const struct area area = {
		.start = mapping->start,
		.end = mapping->end,
		.offset = mapping->offset,
		.flags = mapping->flags,
		.file = mapping->inode,
		.deleted = name && is_deleted(name, strlen(name)),
		.vdso = name && !strcmp(name, "[vdso]"),
	};

	print_mapping(maps, mapping, name);
	return add_area(image, &area);
}

int image_of_snap(struct image *image, struct cp_snap *snap)
{
	const struct cp_snapshot_head *head = cp_snap_head(snap);
	FILE *maps;
	size_t size;
	unsigned int i;
	int ret = 0;

	image->snap = snap;
	maps = open_memstream(&image->maps, &size);
	if (!maps)
		return -1;
	for (i = 0; i < head->nr_threads && !ret; i++)
		ret = add_thread(image, snap, i);
	for (i = 0; i < head->nr_mappings && !ret; i++)
		ret = add_mapping(image, snap, i, maps);
	return fclose(maps) ? -1 : ret;
}

/* Is the flag @letters in the line "VmFlags:", where each flag follows a blank? */
static bool has_flag(const char *line, const char letters[4])
{
	size_t len = strcspn(line, "\n");

	return memmem(line, len, letters, 3);
}

/* Takes over what a line of smaps says of the mapping before it. */
static void read_property(struct area *area, const char *line)
{
	static const char *const own[] = { "Anonymous:", "Swap:",
					   "Private_Hugetlb:" };
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		size_t len = strlen(own[i]);

		if (!strncmp(line, own[i], len) && strtoull(line + len, NULL, 10))
			area->flags |= CP_MAPPING_TOUCHED;
	}
	if (strncmp(line, "VmFlags:", 8))
		return;
	if (has_flag(line, " io") || has_flag(line, " pf"))
		area->flags |= CP_MAPPING_DEVICE;
	if (has_flag(line, " dd"))
		area->flags |= CP_MAPPING_DONTDUMP;
	area->huge = has_flag(line, " ht");
}

static struct area area_of(const struct mapping *mapping, const char *line)
{
	const char *mode = line + strcspn(line, " ") + 1;

	return (struct area){
		.start = mapping->start,
		.end = mapping->end,
		.offset = mapping->offset,
		.flags = (mode[0] == 'r' ? CP_MAPPING_READ : 0) |
			 (mode[1] == 'w' ? CP_MAPPING_WRITE : 0) |
			 (mode[2] == 'x' ? CP_MAPPING_EXEC : 0) |
			 (mode[3] == 's' ? CP_MAPPING_SHARED : 0),
		.file = mapping_is_file(mapping),
		.deleted = is_deleted(mapping->path, mapping->path_len),
		.vdso = mapping_is(mapping, "[vdso]"),
	};
}

/* Adds a line of smaps: a mapping, or a property of the mapping before. */
static int add_line(struct image *image, const char *line, FILE *maps)
{
	struct mapping mapping;
	const char *next = line;
	struct area area;

	if (!mapping_next(&next, &mapping)) {
		if (image->nr)
			read_property(&image->areas[image->nr - 1], line);
		return 0;
	}
	fwrite(line, 1, (size_t)(next - line), maps);
	/* The page of old system calls is the kernel's. */
	if (mapping.start > INT64_MAX)
		return 0;
	area = area_of(&mapping, line);
	return add_area(image, &area);
}

int image_of_smaps(struct image *image, const char *smaps)
{
	size_t size;
	FILE *maps = open_memstream(&image->maps, &size);
	int ret = 0;

	if (!maps)
		return -1;
	while (*smaps && !ret) {
		ret = add_line(image, smaps, maps);
		smaps += strcspn(smaps, "\n");
		smaps += *smaps == '\n';
	}
	return fclose(maps) ? -1 : ret;
}

bool area_in_snap(const struct image *image, const struct area *area)
{
	return image->snap && !(area->flags & CP_MAPPING_ABSENT);
}

/* Reads a page that was read while the process was held. */
static ssize_t read_kept(const struct image *image, uint64_t addr, void *to,
			 size_t size)
{
	uint64_t into = addr % PAGE_BYTES;
	const unsigned char *page = pages_find(&image->kept, addr - into);

	if (!page)
		return 0;
	if (size > PAGE_BYTES - into)
		size = PAGE_BYTES - into;
	memcpy(to, page + into, size);
	return (ssize_t)size;
}

static ssize_t read_living(const struct image *image, uint64_t addr, void *to,
			   size_t size)
{
	ssize_t got = pread(image->mem, to, size, (off_t)addr);

	if (got > 0)
		return got;
	/* The address space is gone, or else this page cannot be read. */
	if (!got)
		errno = ESRCH;
	return got && errno == EIO ? 0 : -1;
}

ssize_t image_read(const struct image *image, const struct area *area,
		   uint64_t addr, void *to, size_t size)
{
	ssize_t got;

	if (!image->snap || area->flags & CP_MAPPING_SHARED)
		return read_living(image, addr, to, size);
	if (!area_in_snap(image, area))
		return read_kept(image, addr, to, size);
	got = cp_snap_read(image->snap, addr, to, size);
	return got < 0 && errno == EIO ? 0 : got;
}

static uint64_t next_in_snap(const struct image *image, const struct area *area,
			     uint64_t addr)
{
	off_t next = lseek(cp_snap_fd(image->snap), (off_t)addr, SEEK_DATA);

	if (next >= 0)
		return (uint64_t)next < area->end ? (uint64_t)next : area->end;
	/* With any other error, the module cannot tell. */
	return errno == ENXIO ? area->end : addr;
}

/* The number of entries of pagemap from @addr on whose pages do not exist. */
static size_t count_absent(const struct image *image, uint64_t addr, bool *known)
{
	uint64_t entries[PAGEMAP_ENTRIES];
	ssize_t got = pread(image->pagemap, entries, sizeof(entries),
			    (off_t)(addr / PAGE_BYTES * sizeof(entries[0])));
	size_t i, nr = got < 0 ? 0 : (size_t)got / sizeof(entries[0]);

	*known = nr;
	for (i = 0; i < nr; i++) {
		if (entries[i] & PAGEMAP_EXISTS)
			break;
	}
	return i;
}

static uint64_t next_living(const struct image *image, const struct area *area,
			    uint64_t addr)
{
	bool known = true;

	while (addr < area->end && known) {
		size_t nr = count_absent(image, addr, &known);

		addr += nr * PAGE_BYTES;
		if (nr < PAGEMAP_ENTRIES)
			break;
	}
	return addr < area->end ? addr : area->end;
}

uint64_t image_next(const struct image *image, const struct area *area,
		    uint64_t addr)
{
	/* Other pages of a file are its own, and those of shared memory may be unmapped. */
	if (area->file || area->flags & CP_MAPPING_SHARED)
		return addr;
	if (area_in_snap(image, area))
		return next_in_snap(image, area, addr);
	return image->snap ? addr : next_living(image, area, addr);
}

void image_free(struct image *image)
{
	instant_free(&image->instant);
	cp_snap_close(image->snap);
	pages_free(&image->kept);
	free(image->maps);
	free(image->areas);
	image->snap = NULL;
	image->maps = NULL;
	image->areas = NULL;
	image->nr = 0;
}
