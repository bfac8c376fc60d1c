// SPDX-License-Identifier: GPL-2.0-only
/* The memory of a core that holds all memory of a process. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "corewhole.h"

/* How much memory is read at a time. */
#define PIECE (64 * PAGE_BYTES)

/* Is the first page that of an ELF file? */
static bool is_elf(const struct image *image, const struct area *area)
{
	char magic[SELFMAG];

	return image_read(image, area, area->start, magic, sizeof(magic)) ==
	       sizeof(magic) && !memcmp(magic, ELFMAG, SELFMAG);
}

static uint32_t kind_of(const struct area *area)
{
	bool shared = area->flags & CP_MAPPING_SHARED;

	if (area->huge)
		return shared ? COREFILTER_HUGE_SHARED : COREFILTER_HUGE_PRIVATE;
	if (shared)
		return !area->file || area->deleted ? COREFILTER_ANON_SHARED :
						      COREFILTER_FILE_SHARED;
	return area->flags & CP_MAPPING_TOUCHED ? COREFILTER_ANON_PRIVATE :
						  COREFILTER_FILE_PRIVATE;
}

/*
 * How many bytes of a mapping are stored. As in cores of the kernel: a private mapping that
 * the process has written to is stored as a whole, because a debugger would take the rest
 * of it from elsewhere.
 */
static uint64_t stored_of(const struct image *image, const struct area *area,
			  uint32_t filter)
{
	uint64_t size = area->end - area->start;

	if (area->vdso)
		return size;
	if (area->flags & (CP_MAPPING_DEVICE | CP_MAPPING_DONTDUMP) || area->lost)
		return 0;
	if (filter & kind_of(area))
		return area->file || area->flags & (CP_MAPPING_TOUCHED |
						    CP_MAPPING_SHARED) ? size : 0;
	if (filter & COREFILTER_ELF_HEADERS && area->file && !area->offset &&
	    area->flags & CP_MAPPING_READ && !(area->flags & CP_MAPPING_SHARED) &&
	    is_elf(image, area))
		return PAGE_BYTES;
	return 0;
}

/* Memory that was never touched: the core says that it is all zeroes, and stores nothing. */
static bool is_zeroes(const struct area *area)
{
	return !area->file && !(area->flags & (CP_MAPPING_TOUCHED |
					       CP_MAPPING_SHARED |
					       CP_MAPPING_DEVICE));
}

static uint32_t flags_of(const struct area *area)
{
	return (area->flags & CP_MAPPING_READ ? PF_R : 0) |
	       (area->flags & CP_MAPPING_WRITE ? PF_W : 0) |
	       (area->flags & CP_MAPPING_EXEC ? PF_X : 0);
}

int corewhole_loads(struct coreloads *loads, const struct image *image,
		    uint32_t filter)
{
	size_t i;

	memset(loads, 0, sizeof(*loads));
	loads->load = calloc(image->nr ?: 1, sizeof(loads->load[0]));
	if (!loads->load)
		return -1;
	loads->room = image->nr;
	for (i = 0; i < image->nr; i++) {
		const struct area *area = &image->areas[i];
		uint64_t stored = stored_of(image, area, filter);

		/* Debuggers would show zeroes for what the core has, but does not store. */
		if (!stored && !is_zeroes(area))
			continue;
		loads->load[loads->nr++] = (struct coreload){
			.addr = area->start,
			.size = stored ? stored : area->end - area->start,
			.stored = stored,
			.later = image->snap && area->flags & CP_MAPPING_SHARED,
			.flags = flags_of(area),
			.area = area,
		};
	}
	return 0;
}

/* Writes up to PIECE bytes. Returns their number, or -1 with errno. */
static ssize_t write_piece(struct coreout *out, const struct image *image,
			   const struct area *area, uint64_t addr, uint64_t end)
{
	static unsigned char bytes[PIECE];
	size_t size = end - addr < PIECE ? end - addr : PIECE;
	ssize_t got = image_read(image, area, addr, bytes, size);

	if (got < 0)
		return -1;
	if (!got) {
		/* This page cannot be read. Those after it may be readable. */
		got = (ssize_t)(PAGE_BYTES - addr % PAGE_BYTES);
		return coreout_skip(out, (uint64_t)got) ? -1 : got;
	}
	return coreout_memory(out, bytes, (size_t)got) ? -1 : got;
}

int corewhole_write(struct coreout *out, const struct corestate *state,
		    const struct coreload *load)
{
	const struct image *image = state->image;
	uint64_t addr = load->addr, end = load->addr + load->stored;

	while (addr < end) {
		uint64_t next = image_next(image, load->area, addr);
		ssize_t done;

		if (next > end)
			next = end;
		if (coreout_skip(out, next - addr))
			return -1;
		addr = next;
		if (addr == end)
			break;
		done = write_piece(out, image, load->area, addr, end);
		if (done < 0)
			return -1;
		addr += (uint64_t)done;
		if (state->written)
			state->written(state->arg, addr, out);
	}
	return 0;
}
