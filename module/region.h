/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that receives a slave's checkpoints and that the master maps.
 *
 * Layout: see "The region" in linux/checkpoint.h. A page is allocated when the
 * slave's stack, or the master's look at it, first needs it; it stays until
 * the region goes. Pages are zeroed, belong to the master's memory cgroup, and
 * are referenced by the region and by the page tables that map them.
 *
 * A region is shared by its pair and by each mapping of it.
 */
#ifndef _CP_REGION_H
#define _CP_REGION_H

#include <linux/refcount.h>
#include <linux/types.h>

struct cp_checkpoint;
struct mem_cgroup;
struct page;
struct vm_area_struct;

/**
 * struct cp_slot - where a slot's parts lie
 * @header:	the slot's struct cp_checkpoint; one page
 * @offset:	where @header lies in the region, in bytes
 * @data:	where the slot's data area begins in the region, in bytes
 * @data_size:	bytes of the data area
 */
struct cp_slot {
	struct cp_checkpoint *header;
	u64 offset;
	u64 data;
	u64 data_size;
};

struct cp_region {
	refcount_t refs;
	unsigned int nr_slots;
	u64 slot_size;
	struct mem_cgroup *memcg;
	unsigned long nr_pages;
	struct page *pages[];
};

struct cp_region *cp_region_create(unsigned int nr_slots, u64 stack_limit);
void cp_region_put(struct cp_region *region);
u64 cp_region_size(const struct cp_region *region);
void cp_region_slot(const struct cp_region *region, unsigned int index,
		    struct cp_slot *slot);
void *cp_region_at(struct cp_region *region, u64 offset);
int cp_region_mmap(struct cp_region *region, struct vm_area_struct *vma);

#endif /* _CP_REGION_H */
