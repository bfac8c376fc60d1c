/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the master maps: the regions of the slave's threads, one after the other. A
 * region is made when a thread first needs it, and freed with the area.
 *
 * An area is shared by its pair and by each mapping of it.
 */
#ifndef _CP_AREA_H
#define _CP_AREA_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "region.h"

/**
 * struct cp_area - the regions of a pair
 * @refs:	the pair, and each mapping
 * @memcg:	the master's memory cgroup, which is charged for everything
 * @account:	the user who is charged (limits.h)
 * @part_pages:	pages of the room for each region
 * @nr_parts:	the most regions
 * @regions:	the regions; NULL where none has been made
 */
struct cp_area {
	refcount_t refs;
	struct mem_cgroup *memcg;
	struct cp_account *account;
	unsigned long part_pages;
	unsigned int nr_parts;
	struct cp_region *regions[];
};

struct cp_area *cp_area_create(unsigned int nr_parts, u64 part_size,
			       struct cp_account *account);
void cp_area_put(struct cp_area *area);
struct cp_region *cp_area_add(struct cp_area *area, unsigned int index,
			      const struct cp_region_plan *plan);
u64 cp_area_size(const struct cp_area *area);
u64 cp_area_offset(const struct cp_area *area, unsigned int index);
int cp_area_mmap(struct cp_area *area, struct vm_area_struct *vma);

#endif /* _CP_AREA_H */
