// SPDX-License-Identifier: GPL-2.0-only
/* The memory of a core: that of the checkpoint, and pages of its surroundings. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "coreload.h"
#include "mapping.h"

static uint32_t flags_at(const char *maps, uint64_t addr)
{
	struct mapping mapping;

	while (mapping_next(&maps, &mapping)) {
		if (addr >= mapping.start && addr < mapping.end)
			return PF_R | (mapping.write ? PF_W : 0) |
			       (mapping.exec ? PF_X : 0);
	}
	/* The mapping is gone: it was removed after the checkpoint. */
	return PF_R | PF_W;
}

static int add(struct coreloads *loads, const struct coreload *load)
{
	if (loads->nr == loads->room) {
		size_t room = loads->room ? loads->room * 2 : 32;
		struct coreload *more = reallocarray(loads->load, room,
						     sizeof(*more));

		if (!more)
			return -1;
		loads->load = more;
		loads->room = room;
	}
	loads->load[loads->nr++] = *load;
	return 0;
}

static uint64_t page_of(uint64_t addr)
{
	return addr - addr % PAGE_BYTES;
}

static int add_segment(struct coreloads *loads, const char *maps,
		       const struct cp_segment *info)
{
	/* Tools round addresses to pages: begin at a page. */
	const struct coreload load = {
		.addr = page_of(info->addr),
		.size = info->addr + info->size - page_of(info->addr),
		.flags = flags_at(maps, info->addr),
	};

	return info->size ? add(loads, &load) : 0;
}

static bool is_covered(const struct snapshot *snapshot, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++) {
		const struct cp_segment *info = &snapshot->segments[i].info;

		if (info->size && addr >= page_of(info->addr) &&
		    addr < info->addr + info->size)
			return true;
	}
	return false;
}

static int add_page(struct coreloads *loads, const char *maps, uint64_t addr)
{
	const struct coreload load = {
		.addr = addr,
		.size = PAGE_BYTES,
		.later = true,
		.flags = flags_at(maps, addr),
	};

	return add(loads, &load);
}

static int by_address(const void *a, const void *b)
{
	const struct coreload *left = a, *right = b;

	return (left->addr > right->addr) - (left->addr < right->addr);
}

/* Joins adjacent ranges whose other members are equal. */
static void join(struct coreloads *loads)
{
	size_t from, to = 0;

	for (from = 1; from < loads->nr; from++) {
		struct coreload *last = &loads->load[to];
		const struct coreload *next = &loads->load[from];

		if (last->addr + last->size == next->addr &&
		    last->later == next->later && last->flags == next->flags)
			last->size += next->size;
		else
			loads->load[++to] = *next;
	}
	loads->nr = to + 1;
}

int coreloads_make(struct coreloads *loads, const struct memory *memory)
{
	const struct snapshot *snapshot = memory->snapshot;
	const struct pages *pages = &memory->around->pages;
	const char *maps = memory->around->maps;
	size_t i;

	memset(loads, 0, sizeof(*loads));
	for (i = 0; i < snapshot->nr_segments; i++) {
		if (add_segment(loads, maps, &snapshot->segments[i].info))
			goto err_free;
	}
	for (i = 0; i < pages->nr; i++) {
		if (!is_covered(snapshot, pages->page[i].addr) &&
		    add_page(loads, maps, pages->page[i].addr))
			goto err_free;
	}
	if (!loads->nr)
		return 0;
	qsort(loads->load, loads->nr, sizeof(loads->load[0]), by_address);
	join(loads);
	return 0;

err_free:
	coreloads_free(loads);
	return -1;
}

void coreloads_free(struct coreloads *loads)
{
	free(loads->load);
	memset(loads, 0, sizeof(*loads));
}
