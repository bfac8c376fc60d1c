/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that receives the checkpoints of one thread: a part of what the master
 * maps (area.h).
 *
 * Layout: see "The region" in linux/checkpoint.h. Most of a region is room that no stack
 * ever needs. So a page is allocated when the slave first writes to it, or the master first
 * reads it, and so is a table of pages; both stay until the region is freed. The header of a
 * slot is allocated when the slot is first written.
 *
 * Pages are zeroed, belong to the master's memory cgroup, and are referenced by the region
 * and by the page tables that map them. All memory of a region is charged to the user who
 * made the pair (limits.h).
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
 * @offset:	where the slot begins in the region, in bytes
 * @xstate:	where the room for extended registers begins, likewise
 * @data:	where the data area begins, likewise
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
 * @nr_headers:	number of slots whose header is allocated with the region, from the first
 *		one on; that of the last slot is allocated, too
 * @xstate_size: bytes of extended registers in each slot
 * @limits:	the limits of all slots but the last
 * @last:	the limits of the last slot
 */
struct cp_region_plan {
	unsigned int nr_slots;
	unsigned int nr_headers;
	u64 xstate_size;
	struct cp_stack_limits limits;
	struct cp_stack_limits last;
};

/* A table has the size of a page. */
#define CP_REGION_TABLE_PAGES	(PAGE_SIZE / sizeof(void *))

struct cp_region_table {
	void *pages[CP_REGION_TABLE_PAGES];
};

/**
 * struct cp_region - the memory that receives the checkpoints of one thread
 * @nr_slots:	number of slots
 * @xstate_size: bytes of extended registers in each slot, whole pages
 * @slot_size:	bytes of each slot but the last
 * @last_size:	bytes of the last slot
 * @arena_limit: as in struct cp_slot, of all slots but the last
 * @last_arena_limit: that of the last slot
 * @memcg:	the memory cgroup that is charged
 * @account:	the user who is charged
 * @counted:	bytes charged to @account
 * @refused:	@account was at its limit
 * @nr_tables:	number of tables
 * @tables:	tables of pages; NULL where none has been allocated
 */
struct cp_region {
	unsigned int nr_slots;
	u64 xstate_size;
	u64 slot_size;
	u64 last_size;
	u64 arena_limit;
	u64 last_arena_limit;
	struct mem_cgroup *memcg;
	struct cp_account *account;
	atomic_long_t counted;
	bool refused;
	unsigned long nr_tables;
	struct cp_region_table *tables[];
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
 * cp_region_page - find the page of a byte of the region
 * @region: the region
 * @offset: the byte's place
 *
 * Return: the page's address, or NULL when the page has not been allocated.
 */
static inline void *cp_region_page(const struct cp_region *region, u64 offset)
{
	unsigned long nr = offset >> PAGE_SHIFT;
	struct cp_region_table *table;

	table = READ_ONCE(region->tables[nr / CP_REGION_TABLE_PAGES]);
	return likely(table) ? READ_ONCE(table->pages[nr % CP_REGION_TABLE_PAGES]) :
			       NULL;
}

/**
 * cp_region_at - find a byte of the region, and allocate its page if need be
 * @region: the region
 * @offset: the byte's place
 *
 * May sleep, as cp_region_alloc() does.
 *
 * Return: the byte's address, valid up to the end of its page for as long as the caller has
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
