// SPDX-License-Identifier: GPL-2.0-only
/* The memory of a core: that of the checkpoints, and pages of their surroundings. */
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

static bool is_in(const struct snapshot *snapshot, uint64_t addr)
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

static bool is_covered(const struct corestate *state, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < state->nr; i++) {
		if (is_in(state->threads[i], addr))
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

/*
 * Do two ranges belong together? Those of checkpoints do, even with different flags, if
 * they overlap: several threads may have their stacks in one mapping.
 */
static bool belong_together(const struct coreload *last,
			    const struct coreload *next)
{
	uint64_t end = last->addr + last->size;

	if (last->later != next->later || end < next->addr)
		return false;
	return end > next->addr || last->flags == next->flags;
}

/* Joins adjacent ranges whose other members are equal, and overlapping ones. */
static void join(struct coreloads *loads)
{
	size_t from, to = 0;

	for (from = 1; from < loads->nr; from++) {
		struct coreload *last = &loads->load[to];
		const struct coreload *next = &loads->load[from];

		if (!belong_together(last, next))
			loads->load[++to] = *next;
		else if (last->addr + last->size < next->addr + next->size)
			last->size = next->addr + next->size - last->addr;
	}
	loads->nr = to + 1;
	for (from = 0; from < loads->nr; from++)
		loads->load[from].stored = loads->load[from].size;
}

static int add_segments(struct coreloads *loads, const char *maps,
			const struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++) {
		if (add_segment(loads, maps, &snapshot->segments[i].info))
			return -1;
	}
	return 0;
}

int coreloads_make(struct coreloads *loads, const struct corestate *state)
{
	const struct pages *pages = &state->around->pages;
	const char *maps = state->around->maps;
	size_t i;

	memset(loads, 0, sizeof(*loads));
	for (i = 0; i < state->nr; i++) {
		if (add_segments(loads, maps, state->threads[i]))
			goto err_free;
	}
	for (i = 0; i < pages->nr; i++) {
		if (!is_covered(state, pages->page[i].addr) &&
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
