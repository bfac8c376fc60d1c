// SPDX-License-Identifier: LGPL-2.1-only
/* Access to the region: the last checkpoint, its segments and their data. */
#include "pair.h"

const struct cp_region_head *cp_pair_region(const struct cp_pair *pair,
					    size_t *size)
{
	/* A child of the master inherits the handle, but not the mapping. */
	if (!pair->region || !*pair->mapped)
		return NULL;
	if (size)
		*size = pair->region_size;
	return pair->region;
}

const char *cp_pair_part_of(const struct cp_pair *pair, uint64_t offset)
{
	return (const char *)pair->region + offset - offset % pair->thread_size;
}

unsigned int cp_pair_parts(const struct cp_pair *pair)
{
	const struct cp_region_head *head = cp_pair_region(pair, NULL);

	if (!head)
		return 0;
	/* A region of one part may be that of an older module. */
	if (pair->thread_size == pair->region_size)
		return 1;
	return __atomic_load_n(&head->nr_parts, __ATOMIC_ACQUIRE);
}

const struct cp_region_head *cp_pair_part(const struct cp_pair *pair,
					  unsigned int i)
{
	const struct cp_region_head *head = cp_pair_region(pair, NULL);

	if (i >= cp_pair_parts(pair))
		return NULL;
	return (const void *)((const char *)head + i * pair->thread_size);
}

const struct cp_checkpoint *cp_pair_checkpoint(const struct cp_pair *pair)
{
	const struct cp_region_head *region = cp_pair_region(pair, NULL);

	if (!region || !pair->slot)
		return NULL;
	return (const void *)((const char *)region + pair->slot);
}

/*
 * The position of a segment follows from the sizes and offsets in the checkpoint,
 * not from sizeof: the structs of a newer module are longer.
 */
static const struct cp_segment *segment_of(const struct cp_checkpoint *cp,
					   unsigned int i)
{
	if (!cp || i >= cp->nr_segments)
		return NULL;
	return (const void *)((const char *)cp + cp->segments_offset +
			      (size_t)i * cp->segment_size);
}

const struct cp_segment *cp_pair_segment(const struct cp_pair *pair,
					 unsigned int i)
{
	return segment_of(cp_pair_checkpoint(pair), i);
}

const void *cp_pair_segment_data(const struct cp_pair *pair, unsigned int i)
{
	const struct cp_segment *seg = cp_pair_segment(pair, i);

	return seg ? cp_pair_part_of(pair, pair->slot) + seg->offset : NULL;
}

const void *cp_pair_find(const struct cp_pair *pair, uint64_t addr,
			 size_t *left)
{
	const struct cp_checkpoint *cp = cp_pair_checkpoint(pair);
	const struct cp_segment *seg;
	unsigned int i;

	for (i = 0; (seg = segment_of(cp, i)); i++) {
		uint64_t into = addr - seg->addr;

		if (seg->kind != CP_SEGMENT_STACK || addr < seg->addr ||
		    into >= seg->size)
			continue;
		*left = seg->size - into;
		return cp_pair_part_of(pair, pair->slot) + seg->offset + into;
	}
	return NULL;
}

const void *cp_pair_data(const struct cp_pair *pair, uint64_t addr, size_t len)
{
	size_t left;
	const void *data = cp_pair_find(pair, addr, &left);

	return data && len <= left ? data : NULL;
}
