/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that receives the checkpoints of one thread: a part of what the master
 * maps (area.h).
 *
 * Layout: see "The region" in linux/checkpoint.h. A page is allocated when the
 * slave's stack, or the master's look at it, first needs it; it stays until
 * the region goes. So is a table that finds pages: most of a region is room
 * that no stack ever needs. Pages are zeroed, belong to the master's memory cgroup, and
 * are referenced by the region and by the page tables that map them. All of it
 * counts for the user who made the pair (limits.h).
 *
 * The header of a slot is allocated when the slot is first written.
 */
#ifndef _CP_REGION_H
#define _CP_REGION_H

#include <linux/mm.h>
#include <linux/types.h>

struct cp_account;
struct cp_checkpoint;
struct mem_cgroup;

/**
 * struct cp_slot - where a slot's parts lie
 * @header:	the slot's struct cp_checkpoint; one page; NULL when it has never
 *		been written
 * @offset:	where @header lies in the region, in bytes
 * @xstate:	where the room for extended registers lies, in bytes
 * @data:	where the slot's data area begins in the region, in bytes
 * @data_size:	bytes of the data area
 * @arena_limit: most bytes of a stack in a mapping that is not a stack
 */
struct cp_slot {
	struct cp_checkpoint *header;
	u64 offset;
	u64 xstate;
	u64 data;
	u64 data_size;
	u64 arena_limit;
};

/**
 * struct cp_stack_limits - how much of a stack a slot holds
 * @stack:	bytes, whole pages
 * @arena:	the most of them for a stack in a mapping that is not a stack
 */
struct cp_stack_limits {
	u64 stack;
	u64 arena;
};

/**
 * struct cp_region_plan - what a region is to hold
 * @nr_slots:	number of slots, at least 1
 * @nr_headers:	the first this many, and the last one, have their header from the
 *		beginning
 * @xstate_size: bytes of extended registers in each
 * @limits:	of all slots but the last
 * @last:	of the last
 */
struct cp_region_plan {
	unsigned int nr_slots;
	unsigned int nr_headers;
	u64 xstate_size;
	struct cp_stack_limits limits;
	struct cp_stack_limits last;
};

/* A table is a page itself. */
#define CP_TABLE_PAGES	(PAGE_SIZE / sizeof(void *))

struct cp_table {
	void *pages[CP_TABLE_PAGES];
};

struct cp_region {
	unsigned int nr_slots;
	u64 xstate_size;
	u64 slot_size;
	u64 last_size;			/* of the last slot */
	u64 arena_limit;		/* as in struct cp_slot, of all but the last */
	u64 last_arena_limit;
	struct mem_cgroup *memcg;
	struct cp_account *account;
	atomic_long_t counted;		/* bytes, in @account */
	bool refused;			/* it was too much for @account */
	unsigned long nr_pages;
	unsigned long nr_tables;
	struct cp_table *tables[];
};

u64 cp_region_plan_size(const struct cp_region_plan *plan);
struct cp_region *cp_region_create(const struct cp_region_plan *plan,
				   struct mem_cgroup *memcg,
				   struct cp_account *account);
void cp_region_free(struct cp_region *region);
void cp_region_assign(struct cp_region *region, s32 thread);
void cp_region_slot(struct cp_region *region, unsigned int index,
		    struct cp_slot *slot);
bool cp_region_slot_alloc(struct cp_region *region, unsigned int index,
			  struct cp_slot *slot);
void *cp_region_alloc(struct cp_region *region, u64 offset);
void cp_region_unpublish(const struct cp_slot *slot);
void cp_region_publish(struct cp_region *region, const struct cp_slot *slot,
		       u64 seq);
void cp_region_copy_newest(struct cp_region *region, const struct cp_slot *to);

/**
 * cp_region_page - address of the page of a byte of the region
 * @region: the region
 * @offset: the byte's place
 *
 * Return: the page's address, or NULL when nobody has needed it yet.
 */
static inline void *cp_region_page(const struct cp_region *region, u64 offset)
{
	unsigned long nr = offset >> PAGE_SHIFT;
	struct cp_table *table;

	table = READ_ONCE(region->tables[nr / CP_TABLE_PAGES]);
	return likely(table) ? READ_ONCE(table->pages[nr % CP_TABLE_PAGES]) :
			       NULL;
}

/**
 * cp_region_at - address of a byte of the region
 * @region: the region
 * @offset: the byte's place
 *
 * May sleep, as cp_region_alloc() does.
 *
 * Return: the address, good to the end of its page as long as the caller has
 * a reference on the region; NULL when there is no memory.
 */
static inline void *cp_region_at(struct cp_region *region, u64 offset)
{
	void *page = cp_region_page(region, offset);

	if (unlikely(!page))
		page = cp_region_alloc(region, offset);
	if (unlikely(!page))
		return NULL;
	return page + offset_in_page(offset);
}

#endif /* _CP_REGION_H */
