// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restoring pages: refill.h. Everything runs in a thread of the process.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "changes.h"
#include "compat.h"
#include "frozen.h"
#include "pages.h"
#include "refill.h"

/**
 * struct cp_refill_page - one page
 * @addr:	its address
 * @from:	the frozen page; NULL when there was none, so that the one there is dropped
 * @to:		the page that is overwritten; NULL until it is allocated
 */
struct cp_refill_page {
	unsigned long addr;
	struct page *from;
	struct page *to;
};

/* Pages to begin with; doubled when they do not suffice. */
#define ROOM_MIN	64

static struct cp_refill_page *refill_next(struct cp_refill *refill)
{
	size_t room = max_t(size_t, 2 * refill->room, ROOM_MIN);
	struct cp_refill_page *at;

	if (refill->nr == refill->room) {
		at = kvmalloc_array(room, sizeof(*at), GFP_KERNEL_ACCOUNT);
		if (!at)
			return NULL;
		if (refill->nr)
			memcpy(at, refill->at, refill->nr * sizeof(*at));
		kvfree(refill->at);
		refill->at = at;
		refill->room = room;
	}
	return &refill->at[refill->nr++];
}

/* The frozen page at @addr, with a reference; NULL if there is none. */
static struct page *frozen_page(struct mm_struct *then, unsigned long addr)
{
	struct page *page = cp_pages_get(then, addr, CP_FROZEN_NOT);

	if (IS_ERR_OR_NULL(page) || PageAnon(page))
		return page;
	put_page(page);
	return NULL;
}

/* Adds a page that is to be like the frozen one, if there is one, or @dropped. */
static int refill_add(struct cp_refill *refill, struct mm_struct *then,
		      unsigned long addr, bool dropped)
{
	struct page *from = dropped ? NULL : frozen_page(then, addr);
	struct cp_refill_page *page;

	if (IS_ERR(from))
		return PTR_ERR(from);
	/* It was being moved, and is not a page of the process's own. */
	if (!from && !dropped)
		return 0;
	page = refill_next(refill);
	if (page) {
		*page = (struct cp_refill_page){ .addr = addr, .from = from };
		return 0;
	}
	if (from)
		put_page(from);
	return -ENOMEM;
}

static int add_runs(struct cp_refill *refill, struct mm_struct *then,
		    const struct cp_runs *runs)
{
	const struct cp_run *run;
	unsigned long addr;
	int ret = 0;

	for (run = runs->runs; run < runs->runs + runs->nr; run++)
		for (addr = run->start; !ret && addr < run->end; addr += PAGE_SIZE) {
			ret = refill_add(refill, then, addr, !run->then);
			cond_resched();
		}
	return ret;
}

/**
 * cp_refill_find - find the pages of a range that differ
 * @refill: they are added here
 * @then: the frozen memory
 * @start: first address
 * @end: first address after it; then and now, all mappings there are private
 *
 * Changes nothing. May sleep.
 *
 * Return: 0; -ENOMEM; -EIO when a page cannot be read; -EINTR when the caller is killed.
 */
int cp_refill_find(struct cp_refill *refill, struct mm_struct *then,
		   unsigned long start, unsigned long end)
{
	struct cp_runs runs = { };
	int ret;

	ret = cp_changes_find_in(then, current->mm, start, end, &runs);
	if (!ret)
		ret = add_runs(refill, then, &runs);
	cp_runs_free(&runs);
	return ret;
}

/**
 * struct piece - the pages of one page table
 * @wanted:	a bit for each of them that is looked at
 * @table:	their keys
 */
struct piece {
	DECLARE_BITMAP(wanted, CP_TABLE_PAGES);
	struct cp_table table;
};

/* Adds the pages of one page table. */
static int add_piece(struct cp_refill *refill, struct mm_struct *then,
		     unsigned long start, unsigned long end, struct piece *piece)
{
	unsigned long first = ALIGN_DOWN(start, CP_TABLE_SIZE);
	unsigned int i;
	int ret;

	bitmap_zero(piece->wanted, CP_TABLE_PAGES);
	bitmap_set(piece->wanted, (start - first) >> PAGE_SHIFT,
		   (end - start) >> PAGE_SHIFT);
	ret = cp_pages_keys(then, first, piece->wanted, true, &piece->table);
	for_each_set_bit(i, piece->wanted, CP_TABLE_PAGES) {
		if (!ret && cp_key_is_page(piece->table.keys[i]))
			ret = refill_add(refill, then, first + i * PAGE_SIZE, false);
	}
	return ret;
}

/**
 * cp_refill_add_all - add all pages of a range, which will be empty
 * @refill: they are added here
 * @then: the frozen memory
 * @start: first address
 * @end: first address after it
 *
 * Changes nothing. May sleep.
 *
 * Return: as cp_refill_find().
 */
int cp_refill_add_all(struct cp_refill *refill, struct mm_struct *then,
		      unsigned long start, unsigned long end)
{
	struct piece *piece = kvmalloc(sizeof(*piece), GFP_KERNEL);
	unsigned long next;
	int ret;

	if (!piece)
		return -ENOMEM;
	for (;;) {
		ret = cp_pages_next(then, start, end, &start);
		if (ret || start >= end)
			break;
		next = min(end, ALIGN_DOWN(start, CP_TABLE_SIZE) + CP_TABLE_SIZE);
		ret = add_piece(refill, then, start, next, piece);
		if (ret)
			break;
		start = next;
		cond_resched();
	}
	kvfree(piece);
	return ret;
}

/*
 * A page that may be written to, with a reference; what is mapped there keeps its content.
 * Pages that the program cannot write to are written as a debugger does.
 */
static struct page *writable_page(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct page *page = NULL;
	int locked = 1;
	long got;

	if (mmap_read_lock_killable(mm))
		return ERR_PTR(-EINTR);
	got = cp_get_user_pages_remote(mm, addr, 1, FOLL_WRITE | FOLL_FORCE, &page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	if (got == 1)
		return page;
	if (fatal_signal_pending(current))
		return ERR_PTR(-EINTR);
	return ERR_PTR(got == -ENOMEM ? -ENOMEM : -EIO);
}

/**
 * cp_refill_reserve - allocate what is needed to restore pages
 * @refill: the pages
 * @first: from this one on; all of their addresses are mapped
 *
 * Memory keeps its content. May sleep.
 *
 * Return: 0; -ENOMEM; -EIO when a page cannot be written to; -EINTR when the caller is killed.
 */
int cp_refill_reserve(struct cp_refill *refill, size_t first)
{
	struct cp_refill_page *page;

	for (page = refill->at + first; page < refill->at + refill->nr; page++) {
		if (!page->from || page->to)
			continue;
		page->to = writable_page(page->addr);
		if (IS_ERR(page->to)) {
			int ret = PTR_ERR(page->to);

			page->to = NULL;
			return ret;
		}
		cond_resched();
	}
	return 0;
}

/* Nothing else maps or unmaps memory of the process meanwhile. */
static void drop_page(unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	if (!WARN_ON_ONCE(!vma || vma->vm_start > addr))
		cp_zap_page(vma, addr);
	mmap_read_unlock(mm);
}

/**
 * cp_refill_restore - restore pages
 * @refill: the pages, for which cp_refill_reserve() has returned 0
 *
 * Cannot fail. May sleep.
 */
void cp_refill_restore(const struct cp_refill *refill)
{
	const struct cp_refill_page *page;

	for (page = refill->at; page < refill->at + refill->nr; page++) {
		if (page->from) {
			copy_highpage(page->to, page->from);
			set_page_dirty_lock(page->to);
		} else {
			drop_page(page->addr);
		}
		cond_resched();
	}
}

/**
 * cp_refill_free - free what cp_refill_find() and cp_refill_reserve() hold
 * @refill: the pages
 */
void cp_refill_free(struct cp_refill *refill)
{
	struct cp_refill_page *page;

	for (page = refill->at; page < refill->at + refill->nr; page++) {
		if (page->from)
			put_page(page->from);
		if (page->to)
			put_page(page->to);
	}
	kvfree(refill->at);
	memset(refill, 0, sizeof(*refill));
}
