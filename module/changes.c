// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has changed: changes.h.
 */
#include <linux/bitmap.h>
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
#include "watch.h"

/**
 * struct search - a comparison
 * @then:	the earlier state
 * @now:	the later one
 * @runs:	pages that differ
 * @more:	how many more pages of its own the later state has, in what has been compared
 * @start:	the page table whose pages are collected
 * @wanted:	a bit for each of them that is to be compared
 * @listed:	those that differ are added to @runs
 * @old:	keys of the earlier state
 * @new:	keys of the later state
 * @again:	keys of the later state, read after @old
 */
struct search {
	const struct cp_side *then, *now;
	struct cp_runs *runs;
	long more;
	unsigned long start;
	DECLARE_BITMAP(wanted, CP_TABLE_PAGES);
	bool listed;
	struct cp_table old, new, again;
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

static int compare_page(struct search *search, unsigned int i)
{
	unsigned long old = search->old.keys[i], new = search->new.keys[i];
	unsigned long addr = search->start + i * PAGE_SIZE;
	bool then = cp_key_is_page(old), now = cp_key_is_page(new);
	int ret = old != new;

	if (!is_clear(old, new, search->again.keys[i]))
		ret = settle(search, addr, &then, &now);
	if (ret <= 0)
		return ret;
	search->more += now - then;
	return search->listed ? run_add(search->runs, addr, then, now) : 0;
}

static int read_both(struct search *search, bool own)
{
	return cp_pages_keys(search->now->mm, search->start, search->wanted, own,
			     &search->new) ?:
	       cp_pages_keys(search->then->mm, search->start, search->wanted, own,
			     &search->old);
}

/* Most pages are the same ones, whoever they belong to. */
static void forget_same(struct search *search)
{
	unsigned int i;

	for_each_set_bit(i, search->wanted, CP_TABLE_PAGES)
		if (search->old.keys[i] == search->new.keys[i] &&
		    search->old.keys[i] != CP_KEY_UNKNOWN)
			__clear_bit(i, search->wanted);
}

static int compare_others(struct search *search)
{
	unsigned int i;
	int ret;

	ret = read_both(search, true) ?:
	      cp_pages_keys(search->now->mm, search->start, search->wanted, true,
			    &search->again);
	if (ret)
		return ret;
	for_each_set_bit(i, search->wanted, CP_TABLE_PAGES) {
		ret = compare_page(search, i);
		if (ret)
			break;
	}
	return ret;
}

/* Compares the pages that have been collected. */
static int compare_wanted(struct search *search)
{
	int ret;

	if (bitmap_empty(search->wanted, CP_TABLE_PAGES))
		return 0;
	ret = read_both(search, false);
	if (!ret)
		forget_same(search);
	if (!ret && !bitmap_empty(search->wanted, CP_TABLE_PAGES))
		ret = compare_others(search);
	bitmap_zero(search->wanted, CP_TABLE_PAGES);
	cond_resched();
	return ret;
}

/* Collects pages of one page table. */
static int collect(struct search *search, unsigned long start, unsigned long end,
		   bool listed)
{
	unsigned long table = ALIGN_DOWN(start, CP_TABLE_SIZE);
	int ret = 0;

	if (table != search->start || listed != search->listed)
		ret = compare_wanted(search);
	search->start = table;
	search->listed = listed;
	bitmap_set(search->wanted, (start - table) >> PAGE_SHIFT,
		   (end - start) >> PAGE_SHIFT);
	return ret;
}

/* Where the next page of either state can be. */
static int skip(struct search *search, unsigned long *start, unsigned long end)
{
	unsigned long then, now;
	int ret;

	ret = cp_pages_next(search->then->mm, *start, end, &then) ?:
	      cp_pages_next(search->now->mm, *start, end, &now);
	if (!ret)
		*start = min(then, now);
	return ret;
}

static int collect_range(struct search *search, unsigned long start,
			 unsigned long end, bool listed)
{
	unsigned long next;
	int ret = 0;

	for (; start < end && !ret; start = next) {
		/* Large mappings may be nearly empty. */
		if (end - start > CP_TABLE_SIZE)
			ret = skip(search, &start, end);
		next = min(end, ALIGN_DOWN(start, CP_TABLE_SIZE) + CP_TABLE_SIZE);
		if (!ret && start < end)
			ret = collect(search, start, next, listed);
	}
	return ret;
}

/**
 * cp_changes_find_in - list the pages of a range that have changed
 * @then: the earlier memory, with a reference on its pages
 * @now: the later memory, likewise
 * @start: the first address
 * @end: the first one after it; in both, all mappings there are private
 * @runs: filled in; on failure, cp_runs_free() is still to be called
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; -EINTR when the caller is killed.
 */
int cp_changes_find_in(struct mm_struct *then, struct mm_struct *now,
		       unsigned long start, unsigned long end, struct cp_runs *runs)
{
	const struct cp_side old = { .mm = then }, new = { .mm = now };
	struct search *search = kvmalloc(sizeof(*search), GFP_KERNEL);
	int ret;

	if (!search)
		return -ENOMEM;
	search->then = &old;
	search->now = &new;
	search->runs = runs;
	search->listed = true;
	bitmap_zero(search->wanted, CP_TABLE_PAGES);
	ret = collect_range(search, start, end, true) ?: compare_wanted(search);
	kvfree(search);
	return ret;
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

/* Both have the memory, so what may have changed there is logged. */
static bool is_watched(const struct cp_stretch *stretch)
{
	return is_frozen(stretch->then) && is_frozen(stretch->now);
}

/* The parts of a stretch that may have changed; *@span is the first that may be one. */
static int collect_spans(struct search *search, const struct cp_stretch *stretch,
			 const struct cp_span **span, const struct cp_span *last)
{
	int ret = 0;

	while (*span != last && (*span)->end <= stretch->start)
		++*span;
	while (!ret && *span != last && (*span)->start < stretch->end) {
		ret = collect_range(search,
				    max_t(u64, (*span)->start, stretch->start),
				    min_t(u64, (*span)->end, stretch->end), true);
		if ((*span)->end > stretch->end)
			break;
		++*span;
	}
	return ret;
}

/* With @spans, compares only them where that is enough. */
static int compare_layouts(struct search *search, const struct cp_spans *spans)
{
	const struct cp_span *span = spans ? spans->spans : NULL;
	struct cp_stretch stretch;
	struct cp_sweep sweep;
	int ret = 0;

	search->more = 0;
	search->runs->nr = 0;
	bitmap_zero(search->wanted, CP_TABLE_PAGES);
	cp_sweep_begin(&sweep, search->then->text, search->now->text);
	while (!ret && cp_sweep_next(&sweep, &stretch)) {
		if (spans && is_watched(&stretch))
			ret = collect_spans(search, &stretch, &span,
					    spans->spans + spans->nr);
		else if (is_private(stretch.then) || is_private(stretch.now))
			ret = collect_range(search, stretch.start, stretch.end,
					    is_frozen(stretch.then));
	}
	return ret ?: compare_wanted(search);
}

/* Has a page appeared where nothing has been logged? */
static bool is_complete(const struct search *search)
{
	const struct cp_side *then = search->then, *now = search->now;
	long old, new;

	return cp_pages_count(then->mm, then->process, &old) &&
	       cp_pages_count(now->mm, now->process, &new) &&
	       new - old == search->more;
}

/* Adds what a side has logged. Gives 1 if that is not all. */
static int read_watch(const struct cp_side *side, struct cp_spans *spans)
{
	int ret;

	if (!side->watch)
		return 1;
	cp_watch_lock(side->watch);
	ret = cp_watch_read(side->watch, false, spans);
	cp_watch_unlock(side->watch);
	return ret;
}

static int compare(struct search *search, struct cp_spans *spans, bool everything)
{
	int ret;

	if (!everything) {
		cp_spans_sort(spans);
		ret = compare_layouts(search, spans);
		if (ret || is_complete(search))
			return ret;
	}
	return compare_layouts(search, NULL);
}

/*
 * Two snapshots. A page that is not the same in both has changed in the process since one
 * of them, before or after the other.
 */
static int compare_snapshots(struct search *search)
{
	struct cp_spans spans = { };
	int ret;

	ret = read_watch(search->then, &spans);
	if (!ret)
		ret = read_watch(search->now, &spans);
	if (ret >= 0)
		ret = compare(search, &spans, ret);
	cp_spans_free(&spans);
	return ret;
}

static int add_runs(struct cp_spans *spans, const struct cp_runs *runs)
{
	size_t i;

	if (cp_spans_reserve(spans, runs->nr))
		return -ENOMEM;
	for (i = 0; i < runs->nr; i++)
		spans->spans[spans->nr++] = (struct cp_span){ runs->runs[i].start,
							      runs->runs[i].end };
	return 0;
}

/* The log has been emptied: what differs must not be forgotten. */
static int compare_and_know(struct search *search, struct cp_watch *watch,
			    struct cp_spans *spans, bool everything)
{
	int ret = compare(search, spans, everything);

	spans->nr = 0;
	if (!ret)
		ret = add_runs(spans, search->runs);
	if (ret)
		cp_watch_distrust(watch);
	else
		cp_watch_know(watch, spans);
	return ret;
}

/* A snapshot, and the process as it is now. */
static int compare_process(struct search *search)
{
	struct cp_watch *watch = search->then->watch;
	struct cp_spans spans = { };
	int ret;

	cp_watch_lock(watch);
	ret = cp_watch_read(watch, true, &spans);
	if (ret >= 0)
		ret = compare_and_know(search, watch, &spans, ret);
	cp_watch_unlock(watch);
	cp_spans_free(&spans);
	return ret;
}

/**
 * cp_changes_find - list the pages that have changed
 * @then: a snapshot
 * @now: the process, held, or another snapshot of it
 * @runs: filled in; on failure, cp_runs_free() is still to be called
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; -EINTR when the caller is killed.
 */
int cp_changes_find(const struct cp_side *then, const struct cp_side *now,
		    struct cp_runs *runs)
{
	struct search *search = kvzalloc(sizeof(*search), GFP_KERNEL);
	int ret;

	if (!search)
		return -ENOMEM;
	search->then = then;
	search->now = now;
	search->runs = runs;
	if (!now->process)
		ret = compare_snapshots(search);
	else if (then->watch)
		ret = compare_process(search);
	else
		ret = compare_layouts(search, NULL);
	kvfree(search);
	return ret;
}
