// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has changed: changes.h.
 */
#include <linux/checkpoint.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "changes.h"
#include "layout.h"
#include "pages.h"

/**
 * struct search - a comparison
 * @then:	the earlier state
 * @now:	the later one
 * @runs:	pages that differ
 * @more:	how many more pages of its own the later state has, in what has been compared
 * @old_keys:	of the pages that are compared now
 * @new_keys:	in the later state
 * @again:	in the later state, read after @old_keys
 */
struct search {
	const struct cp_side *then, *now;
	struct cp_runs *runs;
	long more;
	unsigned long old_keys[CP_PAGES_PIECE];
	unsigned long new_keys[CP_PAGES_PIECE];
	unsigned long again[CP_PAGES_PIECE];
};

static int run_grow(struct cp_runs *runs)
{
	size_t room = max_t(size_t, 2 * runs->room, 64);
	struct cp_run *grown = kvmalloc_array(room, sizeof(*grown), GFP_KERNEL_ACCOUNT);

	if (!grown)
		return -ENOMEM;
	if (runs->nr)
		memcpy(grown, runs->runs, runs->nr * sizeof(*grown));
	kvfree(runs->runs);
	runs->runs = grown;
	runs->room = room;
	return 0;
}

static int run_add(struct cp_runs *runs, unsigned long addr, bool then, bool now)
{
	struct cp_run *last = runs->nr ? &runs->runs[runs->nr - 1] : NULL;

	if (last && last->end == addr && last->then == then && last->now == now) {
		last->end += PAGE_SIZE;
		return 0;
	}
	if (runs->nr == runs->room && run_grow(runs))
		return -ENOMEM;
	runs->runs[runs->nr++] = (struct cp_run){
		.start = addr,
		.end = addr + PAGE_SIZE,
		.then = then,
		.now = now,
	};
	return 0;
}

/**
 * cp_runs_free - free a list
 * @runs: the list; empty afterwards
 */
void cp_runs_free(struct cp_runs *runs)
{
	kvfree(runs->runs);
	memset(runs, 0, sizeof(*runs));
}

/* A page with a reference, as long as which it is not moved; NULL without one. */
static struct page *get_own(const struct cp_side *side, unsigned long addr)
{
	struct page *page = cp_pages_get(side->mm, addr, VM_IO | VM_PFNMAP);

	if (IS_ERR(page))
		return PTR_ERR(page) == -EINTR ? page : NULL;
	if (page && !PageAnon(page)) {
		put_page(page);
		page = NULL;
	}
	return page;
}

/* Compares pages whose keys do not say it all. Gives whether they differ, or an error. */
static int settle(struct search *search, unsigned long addr, bool *then, bool *now)
{
	struct page *old, *new;
	int ret;

	old = get_own(search->then, addr);
	if (IS_ERR(old))
		return PTR_ERR(old);
	new = get_own(search->now, addr);
	ret = PTR_ERR_OR_ZERO(new) ?: old != new;
	*then = old;
	*now = new;
	if (old)
		put_page(old);
	if (new && !IS_ERR(new))
		put_page(new);
	return ret;
}

/* A page in memory, and not one in swap. */
static bool is_present(unsigned long key)
{
	return key & 1;
}

/*
 * Do the keys say all? A page in memory and one in swap may be the same, on its way from
 * here to there. A page may have been moved while the keys were read.
 */
static bool is_clear(unsigned long old, unsigned long new, unsigned long again)
{
	if (old == CP_KEY_UNKNOWN || new == CP_KEY_UNKNOWN || new != again)
		return false;
	return !cp_key_is_page(old) || !cp_key_is_page(new) || old == new ||
	       is_present(old) == is_present(new);
}

/* Compares one page; adds it to the list only if @listed. */
static int compare_page(struct search *search, unsigned long addr, unsigned int i,
			bool listed)
{
	unsigned long old = search->old_keys[i], new = search->new_keys[i];
	bool then = cp_key_is_page(old), now = cp_key_is_page(new);
	int ret = old != new;

	if (!is_clear(old, new, search->again[i]))
		ret = settle(search, addr, &then, &now);
	if (ret <= 0)
		return ret;
	search->more += now - then;
	return listed ? run_add(search->runs, addr, then, now) : 0;
}

static bool is_same(const struct search *search, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (search->old_keys[i] != search->new_keys[i] ||
		    search->old_keys[i] == CP_KEY_UNKNOWN)
			return false;
	return true;
}

/* Pages of one page table. */
static int compare_piece(struct search *search, unsigned long start,
			 unsigned long end, bool listed)
{
	unsigned int nr = (end - start) >> PAGE_SHIFT, i;
	int ret;

	ret = cp_pages_keys(search->now->mm, start, end, search->new_keys) ?:
	      cp_pages_keys(search->then->mm, start, end, search->old_keys);
	if (ret || is_same(search, nr))
		return ret;
	ret = cp_pages_keys(search->now->mm, start, end, search->again);
	for (i = 0; i < nr && !ret; i++)
		ret = compare_page(search, start + i * PAGE_SIZE, i, listed);
	return ret;
}

static int compare_range(struct search *search, unsigned long start,
			 unsigned long end, bool listed)
{
	unsigned long next, other;
	int ret;

	for (;;) {
		ret = cp_pages_next(search->then->mm, start, end, &next) ?:
		      cp_pages_next(search->now->mm, start, end, &other);
		start = min(next, other);
		if (ret || start >= end)
			return ret;
		next = min(end, ALIGN_DOWN(start, PMD_SIZE) + PMD_SIZE);
		ret = compare_piece(search, start, next, listed);
		if (ret)
			return ret;
		start = next;
		cond_resched();
	}
}

/* Can the process have pages of its own there? */
static bool is_private(const struct cp_snapshot_mapping *mapping)
{
	return mapping && !(mapping->flags & CP_MAPPING_SHARED);
}

static bool is_frozen(const struct cp_snapshot_mapping *mapping)
{
	return mapping && !(mapping->flags & CP_MAPPING_ABSENT);
}

static int compare_all(struct search *search)
{
	struct cp_stretch stretch;
	struct cp_sweep sweep;
	int ret = 0;

	cp_sweep_begin(&sweep, search->then->text, search->now->text);
	while (!ret && cp_sweep_next(&sweep, &stretch))
		if (is_private(stretch.then) || is_private(stretch.now))
			ret = compare_range(search, stretch.start, stretch.end,
					    is_frozen(stretch.then));
	return ret;
}

/**
 * cp_changes_find - list the pages that have changed
 * @then: a snapshot
 * @now: the process, held, or a later snapshot of it
 * @runs: filled in; on failure, cp_runs_free() is still to be called
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; -EINTR when the caller is killed.
 */
int cp_changes_find(const struct cp_side *then, const struct cp_side *now,
		    struct cp_runs *runs)
{
	struct search *search = kvmalloc(sizeof(*search), GFP_KERNEL);
	int ret;

	if (!search)
		return -ENOMEM;
	search->then = then;
	search->now = now;
	search->runs = runs;
	search->more = 0;
	ret = compare_all(search);
	kvfree(search);
	return ret;
}
