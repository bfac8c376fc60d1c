// SPDX-License-Identifier: GPL-2.0-only
/*
 * What differs between two states: difference.h.
 */
#include <linux/checkpoint.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "args.h"
#include "changes.h"
#include "difference.h"
#include "layout.h"
#include "pages.h"

#define CP_CHANGES_SIZE_VER1	40

static_assert(sizeof(struct cp_changes) == CP_CHANGES_SIZE_VER1);
static_assert(sizeof(struct cp_change) == 24);

/* The most changes that one call gives. */
#define ROOM_MAX	65536U

#define ACCESS_FLAGS	(CP_MAPPING_READ | CP_MAPPING_WRITE | CP_MAPPING_EXEC)
#define KIND_FLAGS	(CP_MAPPING_SHARED | CP_MAPPING_DEVICE)
#define ADVICE_FLAGS	(CP_MAPPING_DONTFORK | CP_MAPPING_WIPEONFORK)

/**
 * struct listing - what the master gets
 * @then:	the earlier state
 * @now:	the later one
 * @run:	the next pages that may have other bytes
 * @runs_end:	after the last ones
 * @changes:	the list
 * @nr:		their number
 * @room:	the most of them
 * @start:	changes below are not listed
 */
struct listing {
	const struct cp_side *then, *now;
	const struct cp_run *run, *runs_end;
	struct cp_change *changes;
	unsigned int nr, room;
	u64 start;
};

/* Gives -ENOSPC when the list is full. */
static int listing_add(struct listing *list, u64 start, u64 end, u32 flags)
{
	struct cp_change *last = list->nr ? &list->changes[list->nr - 1] : NULL;

	start = max(start, list->start);
	if (!flags || start >= end)
		return 0;
	if (last && last->end == start && last->flags == flags) {
		last->end = end;
		return 0;
	}
	if (list->nr == list->room)
		return -ENOSPC;
	list->changes[list->nr++] = (struct cp_change){
		.start = start,
		.end = end,
		.flags = flags,
	};
	return 0;
}

static bool is_zero(struct page *page)
{
	void *data = kmap_local_page(page);
	bool zero = !memchr_inv(data, 0, PAGE_SIZE);

	kunmap_local(data);
	return zero;
}

static bool same_bytes(struct page *a, struct page *b)
{
	void *x = kmap_local_page(a), *y = kmap_local_page(b);
	bool same = !memcmp(x, y, PAGE_SIZE);

	kunmap_local(y);
	kunmap_local(x);
	return same;
}

/* NULL stands for zeroes, an error for memory that cannot be read. */
static bool same_page(struct page *a, struct page *b)
{
	if (IS_ERR(a) || IS_ERR(b))
		return IS_ERR(a) && IS_ERR(b);
	if (!a && !b)
		return true;
	if (!a || !b)
		return is_zero(a ?: b);
	return same_bytes(a, b);
}

static void put_any(struct page *page)
{
	if (!IS_ERR_OR_NULL(page))
		put_page(page);
}

/* Gives whether the bytes differ, or -EINTR. */
static int compare_bytes(struct listing *list, unsigned long addr)
{
	struct page *then = cp_pages_get(list->then->mm, addr, VM_IO | VM_PFNMAP);
	struct page *now = cp_pages_get(list->now->mm, addr, VM_IO | VM_PFNMAP);
	int ret = !same_page(then, now);

	if (then == ERR_PTR(-EINTR) || now == ERR_PTR(-EINTR))
		ret = -EINTR;
	put_any(then);
	put_any(now);
	return ret;
}

static int listing_page(struct listing *list, const struct cp_run *run,
			unsigned long addr, u32 flags)
{
	int ret = compare_bytes(list, addr);

	if (ret > 0) {
		flags |= CP_CHANGE_CONTENT;
		if (!run->then)
			flags |= CP_CHANGE_NEW;
		if (!run->now)
			flags |= CP_CHANGE_GONE;
	}
	return ret < 0 ? ret : listing_add(list, addr, addr + PAGE_SIZE, flags);
}

/* Pages that are not the same ones in both, from @addr on. */
static int listing_run(struct listing *list, const struct cp_run *run, u64 addr,
		       u64 end, u32 flags)
{
	int ret = 0;

	for (addr = max(addr, list->start); addr < end && !ret; addr += PAGE_SIZE) {
		ret = listing_page(list, run, addr, flags);
		cond_resched();
	}
	return ret;
}

/* A stretch that is mapped in both states. @flags concern all of it. */
static int listing_pages(struct listing *list, const struct cp_stretch *stretch, u32 flags)
{
	u64 at, from, to;
	int ret = 0;

	for (at = stretch->start; at < stretch->end && !ret; at = to) {
		while (list->run != list->runs_end && list->run->end <= at)
			list->run++;
		if (list->run == list->runs_end || list->run->start >= stretch->end)
			return listing_add(list, at, stretch->end, flags);
		from = max_t(u64, at, list->run->start);
		to = min_t(u64, stretch->end, list->run->end);
		ret = listing_add(list, at, from, flags) ?:
		      listing_run(list, list->run, from, to, flags);
	}
	return ret;
}

/* Does the same memory lie below? */
static bool is_replaced(const struct cp_stretch *stretch)
{
	const struct cp_snapshot_mapping *then = stretch->then, *now = stretch->now;

	return (then->flags ^ now->flags) & KIND_FLAGS ||
	       then->inode != now->inode || then->dev_major != now->dev_major ||
	       then->dev_minor != now->dev_minor ||
	       (then->inode && then->offset - then->start != now->offset - now->start);
}

static u32 flags_of(const struct cp_stretch *stretch)
{
	u32 differ, flags = 0;

	if (!stretch->then)
		return CP_CHANGE_MAPPED;
	if (!stretch->now)
		return CP_CHANGE_UNMAPPED;
	differ = stretch->then->flags ^ stretch->now->flags;
	if (differ & ACCESS_FLAGS)
		flags |= CP_CHANGE_PROTECTION;
	if (differ & ADVICE_FLAGS)
		flags |= CP_CHANGE_ADVICE;
	if (is_replaced(stretch))
		flags |= CP_CHANGE_REPLACED;
	return flags;
}

/* Is the memory there in both states? */
static bool is_compared(const struct listing *list, const struct cp_stretch *stretch)
{
	return stretch->then && !(stretch->then->flags & CP_MAPPING_ABSENT) &&
	       stretch->now &&
	       (list->now->process || !(stretch->now->flags & CP_MAPPING_ABSENT));
}

static int listing_all(struct listing *list)
{
	struct cp_stretch stretch;
	struct cp_sweep sweep;
	int ret = 0;

	cp_sweep_begin(&sweep, list->then->text, list->now->text);
	while (!ret && cp_sweep_next(&sweep, &stretch)) {
		u32 flags = flags_of(&stretch);

		if (is_compared(list, &stretch))
			ret = listing_pages(list, &stretch, flags);
		else
			ret = listing_add(list, stretch.start, stretch.end, flags);
	}
	return ret;
}

static int listing_out(struct listing *list, struct cp_changes *arg, bool full)
{
	arg->nr = list->nr;
	arg->next = full ? list->changes[list->nr - 1].end : CP_FOREVER;
	return copy_to_user(u64_to_user_ptr(arg->changes), list->changes,
			    list->nr * sizeof(*list->changes)) ? -EFAULT : 0;
}

static int listing_make(struct listing *list, struct cp_changes *arg)
{
	int ret;

	list->room = min(arg->room, ROOM_MAX);
	list->start = arg->start;
	list->changes = kvmalloc_array(list->room, sizeof(*list->changes),
				       GFP_KERNEL_ACCOUNT);
	if (!list->changes)
		return -ENOMEM;
	ret = listing_all(list);
	if (!ret || ret == -ENOSPC)
		ret = listing_out(list, arg, ret);
	kvfree(list->changes);
	return ret;
}

/**
 * cp_difference_ask - read the argument of CP_IOC_CHANGES
 * @arg: filled in
 * @cmd: the ioctl's number
 * @uarg: the caller's
 *
 * Return: 0; -EINVAL; -E2BIG; -EFAULT.
 */
int cp_difference_ask(struct cp_changes *arg, unsigned int cmd, void __user *uarg)
{
	int ret = cp_args_in(arg, sizeof(*arg), CP_CHANGES_SIZE_VER1, cmd, uarg);

	if (ret)
		return ret;
	return arg->flags || !arg->room || offset_in_page(arg->start) ? -EINVAL : 0;
}

/**
 * cp_difference_list - list what differs
 * @then: the earlier state
 * @now: the later one
 * @arg: what the master asks for; filled in
 *
 * May sleep.
 *
 * Return: as in struct cp_changes: 0, -EFAULT, -ENOMEM, or -EINTR when the caller is killed.
 */
int cp_difference_list(const struct cp_side *then, const struct cp_side *now,
		       struct cp_changes *arg)
{
	struct listing list = { .then = then, .now = now };
	struct cp_runs runs = { };
	int ret = cp_changes_find(then, now, &runs);

	if (!ret) {
		list.run = runs.runs;
		list.runs_end = runs.runs + runs.nr;
		ret = listing_make(&list, arg);
	}
	cp_runs_free(&runs);
	return ret;
}
