// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that receives the checkpoints of one thread: allocation and layout.
 */
#include <linux/checkpoint.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "limits.h"
#include "region.h"

/* The region's head and each slot's header have a page of their own. */
#define HEAD_SIZE	PAGE_SIZE

static_assert(sizeof(struct cp_region_head) <= HEAD_SIZE);
static_assert(sizeof(struct cp_checkpoint) + sizeof(struct cp_segment) <=
	      HEAD_SIZE);

static void region_fill_head(struct cp_region *region)
{
	struct cp_region_head *head = cp_region_at(region, 0);

	head->magic = CP_REGION_MAGIC;
	head->version = CP_VERSION;
	head->nr_slots = region->nr_slots;
	head->slots_offset = HEAD_SIZE;
	head->slot_size = region->slot_size;
}

/* Charges @bytes; false at the user's limit. */
static bool region_count(struct cp_region *region, size_t bytes)
{
	if (!cp_limits_add_memory(region->account, bytes)) {
		WRITE_ONCE(region->refused, true);
		return false;
	}
	atomic_long_add(bytes, &region->counted);
	return true;
}

static void region_uncount(struct cp_region *region, size_t bytes)
{
	atomic_long_sub(bytes, &region->counted);
	cp_limits_remove_memory(region->account, bytes);
}

static void region_free_table(struct cp_region_table *table)
{
	unsigned long i;

	for (i = 0; i < CP_REGION_TABLE_PAGES; i++)
		if (table->pages[i])
			put_page(virt_to_page(table->pages[i]));
	kfree(table);
}

/**
 * cp_region_free - free a region
 * @region: the region, which is not used any more
 *
 * May sleep.
 */
void cp_region_free(struct cp_region *region)
{
	unsigned long i;

	for (i = 0; i < region->nr_tables; i++) {
		if (!region->tables[i])
			continue;
		region_free_table(region->tables[i]);
		cond_resched();
	}
	cp_limits_remove_memory(region->account,
				atomic_long_read(&region->counted));
	kvfree(region);
}

static u64 slot_bytes(const struct cp_region_plan *plan,
		      const struct cp_stack_limits *limits)
{
	/* One page more: a stack that is cut need not begin on a page. */
	return HEAD_SIZE + PAGE_ALIGN(plan->xstate_size) + limits->stack +
	       PAGE_SIZE;
}

static unsigned long plan_pages(const struct cp_region_plan *plan)
{
	u64 size = HEAD_SIZE +
		   (plan->nr_slots - 1) * slot_bytes(plan, &plan->limits) +
		   slot_bytes(plan, &plan->last);

	return size >> PAGE_SHIFT;
}

/**
 * cp_region_plan_size - the room that a region takes in the master's mapping
 * @plan: what the region is to hold
 *
 * Return: the number of bytes, whole pages.
 */
u64 cp_region_plan_size(const struct cp_region_plan *plan)
{
	return (u64)plan_pages(plan) << PAGE_SHIFT;
}

static struct cp_region *region_alloc(const struct cp_region_plan *plan,
				      struct mem_cgroup *memcg)
{
	struct mem_cgroup *old = set_active_memcg(memcg);
	unsigned long nr_tables = DIV_ROUND_UP(plan_pages(plan),
					       CP_REGION_TABLE_PAGES);
	struct cp_region *region;

	region = kvzalloc(struct_size(region, tables, nr_tables), CP_GFP_PAIR);
	set_active_memcg(old);
	if (!region)
		return NULL;
	region->nr_slots = plan->nr_slots;
	region->xstate_size = PAGE_ALIGN(plan->xstate_size);
	region->slot_size = slot_bytes(plan, &plan->limits);
	region->last_size = slot_bytes(plan, &plan->last);
	region->arena_limit = plan->limits.arena;
	region->last_arena_limit = plan->last.arena;
	region->nr_tables = nr_tables;
	region->memcg = memcg;
	return region;
}

static bool region_alloc_headers(struct cp_region *region, unsigned int nr)
{
	struct cp_slot slot;
	unsigned int i;

	if (!cp_region_at(region, 0))
		return false;
	for (i = 0; i < nr; i++)
		if (!cp_region_slot_alloc(region, i, &slot))
			return false;
	return cp_region_slot_alloc(region, region->nr_slots - 1, &slot);
}

/**
 * cp_region_create - make the region of a thread
 * @plan: what the region is to hold
 * @memcg: the master's memory cgroup, which is charged; outlives the region
 * @account: the account that is charged; outlives the region
 *
 * Called by the master, or by the thread itself.
 *
 * Return: the region, to be freed with cp_region_free(), or an ERR_PTR():
 * -EDQUOT at the limit of @account, or -ENOMEM.
 */
struct cp_region *cp_region_create(const struct cp_region_plan *plan,
				   struct mem_cgroup *memcg,
				   struct cp_account *account)
{
	struct cp_region *region = region_alloc(plan, memcg);
	int ret;

	if (!region)
		return ERR_PTR(-ENOMEM);
	region->account = account;
	if (!region_count(region, struct_size(region, tables, region->nr_tables)) ||
	    !region_alloc_headers(region, plan->nr_headers)) {
		ret = region->refused ? -EDQUOT : -ENOMEM;
		cp_region_free(region);
		return ERR_PTR(ret);
	}
	region_fill_head(region);
	return region;
}

/**
 * cp_region_slot - find a slot
 * @region: the region
 * @index: the slot's number
 * @slot: filled in
 */
void cp_region_slot(struct cp_region *region, unsigned int index,
		    struct cp_slot *slot)
{
	bool last = index == region->nr_slots - 1;

	slot->offset = HEAD_SIZE + index * region->slot_size;
	slot->xstate = slot->offset + HEAD_SIZE;
	slot->data = slot->xstate + region->xstate_size;
	slot->data_size = (last ? region->last_size : region->slot_size) -
			  HEAD_SIZE - region->xstate_size;
	slot->arena_limit = last ? region->last_arena_limit :
				   region->arena_limit;
	slot->header = cp_region_page(region, slot->offset);
}

/**
 * cp_region_slot_alloc - find a slot in order to write it
 * @region: the region
 * @index: the slot's number
 * @slot: filled in
 *
 * May sleep.
 *
 * Return: false when there is no memory for its header.
 */
bool cp_region_slot_alloc(struct cp_region *region, unsigned int index,
			  struct cp_slot *slot)
{
	cp_region_slot(region, index, slot);
	if (unlikely(!slot->header))
		slot->header = cp_region_alloc(region, slot->offset);
	return slot->header;
}

/**
 * cp_region_assign - give a region to a thread
 * @region: the region
 * @thread: the thread's id for the master
 *
 * Invalidates the checkpoints that the thread before it has left.
 */
void cp_region_assign(struct cp_region *region, s32 thread)
{
	struct cp_region_head *head = cp_region_at(region, 0);
	struct cp_slot slot;
	unsigned int i;

	WRITE_ONCE(head->newest, 0);
	for (i = 0; i < region->nr_slots; i++) {
		cp_region_slot(region, i, &slot);
		if (slot.header)
			cp_region_unpublish(&slot);
	}
	WRITE_ONCE(head->thread, thread);
}

/* If slave and master allocate the same table, cmpxchg() decides. */
static struct cp_region_table *region_get_table(struct cp_region *region,
						unsigned long nr)
{
	struct cp_region_table **place = &region->tables[nr], *table, *other;

	table = READ_ONCE(*place);
	if (table)
		return table;
	if (!region_count(region, sizeof(*table)))
		return NULL;
	table = kzalloc(sizeof(*table), CP_GFP_PAIR);
	if (!table)
		goto out_uncount;
	other = cmpxchg(place, NULL, table);
	if (!other)
		return table;
	kfree(table);
	table = other;

out_uncount:
	region_uncount(region, sizeof(*table));
	return table;
}

static void *region_get_page(struct cp_region *region,
			     struct cp_region_table *table, unsigned long nr)
{
	void **place = &table->pages[nr], *address = NULL, *other;
	struct page *page;

	if (!region_count(region, PAGE_SIZE))
		return NULL;
	page = alloc_page(CP_GFP_PAIR | __GFP_ZERO);
	if (!page)
		goto out_uncount;
	address = page_address(page);
	other = cmpxchg(place, NULL, address);
	if (!other)
		return address;
	put_page(page);
	address = other;

out_uncount:
	region_uncount(region, PAGE_SIZE);
	return address;
}

/**
 * cp_region_alloc - allocate a page of the region
 * @region: the region
 * @offset: the offset of a byte of that page
 *
 * Slave and master may call this at the same time. The OOM killer is never invoked: a
 * truncated stack is better than a killed process. May sleep.
 *
 * Return: as cp_region_page().
 */
void *cp_region_alloc(struct cp_region *region, u64 offset)
{
	struct mem_cgroup *old = set_active_memcg(region->memcg);
	unsigned long nr = offset >> PAGE_SHIFT;
	struct cp_region_table *table;
	void *page = NULL;

	table = region_get_table(region, nr / CP_REGION_TABLE_PAGES);
	if (table)
		page = region_get_page(region, table, nr % CP_REGION_TABLE_PAGES);
	set_active_memcg(old);
	return page;
}

/**
 * cp_region_unpublish - invalidate a slot before it is written
 * @slot: the slot
 */
void cp_region_unpublish(const struct cp_slot *slot)
{
	WRITE_ONCE(slot->header->seq, 0);
	/* A reader that sees any of the new contents must also see seq == 0. */
	smp_wmb();
}

/**
 * cp_region_publish - validate a slot that has been written
 * @region: the region
 * @slot: the slot
 * @seq: the number of its checkpoint
 */
void cp_region_publish(struct cp_region *region, const struct cp_slot *slot,
		       u64 seq)
{
	struct cp_region_head *head = cp_region_at(region, 0);

	/* A reader that acquires the number sees all contents of the slot. */
	smp_store_release(&slot->header->seq, seq);
	/* A reader that acquires @newest sees the number. */
	smp_store_release(&head->newest, slot->offset);
}

/*
 * Finds the place of a stack, which lies in the slot at @from, in another slot. Its distance
 * to the end of the slot stays the same, unless the other slot is too small for that.
 */
static void region_place_stack(const struct cp_region *region,
			       const struct cp_slot *to, u64 from,
			       struct cp_segment *seg)
{
	u64 distance = from + region->slot_size - seg->offset;
	u64 limit = to->data_size - PAGE_SIZE;

	if (distance <= to->data_size) {
		seg->offset = to->data + to->data_size - distance;
		return;
	}
	seg->offset = to->data + offset_in_page(seg->addr);
	if (seg->size > limit) {
		seg->size = limit;
		seg->flags |= CP_SEGF_TRUNCATED;
	}
}

/* Copies the bytes of a segment to its new place, which has the same offset in its page. */
static void region_copy_bytes(struct cp_region *region, struct cp_segment *seg,
			      u64 from)
{
	size_t done = 0, piece;

	for (; done < seg->size; done += piece) {
		void *copy = cp_region_at(region, seg->offset + done);

		if (!copy) {
			seg->flags |= CP_SEGF_NOMEM;
			break;
		}
		piece = min_t(u64, seg->size - done,
			      PAGE_SIZE - offset_in_page(from + done));
		memcpy(copy, cp_region_at(region, from + done), piece);
		cond_resched();
	}
	seg->size = done;
}

static void region_copy_segment(struct cp_region *region,
				const struct cp_slot *to, u64 from,
				struct cp_segment *seg)
{
	u64 old = seg->offset;

	if (!seg->size)
		return;
	if (seg->kind == CP_SEGMENT_STACK)
		region_place_stack(region, to, from, seg);
	else
		seg->offset += to->offset - from;
	region_copy_bytes(region, seg, old);
}

/**
 * cp_region_copy_newest - copy the newest checkpoint to the last slot
 * @region: the region, in which there is one
 * @to: the last slot, which has never been published
 *
 * The slots may differ in size: a stack that does not fit is truncated.
 */
void cp_region_copy_newest(struct cp_region *region, const struct cp_slot *to)
{
	const struct cp_region_head *head = cp_region_at(region, 0);
	const void *from = cp_region_at(region, head->newest);
	struct cp_segment *seg = (void *)(to->header + 1);
	struct cp_checkpoint header;
	u32 i;

	header = *(const struct cp_checkpoint *)from;
	memcpy(seg, from + sizeof(header), header.nr_segments * sizeof(*seg));
	for (i = 0; i < header.nr_segments; i++)
		region_copy_segment(region, to, head->newest, &seg[i]);
	/* cp_region_publish() sets the number. */
	header.seq = 0;
	*to->header = header;
}
