// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watching a process since a snapshot: watch.h.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait_bit.h>

#include "watch.h"

/* When this many spans have been logged, all memory has to be compared. */
#define LOG_MAX		2048

/**
 * struct watcher - one of the notifiers
 * @notifier:	the notifier
 * @watch:	what it belongs to
 * @registered:	it has been registered
 */
struct watcher {
	struct mmu_notifier notifier;
	struct cp_watch *watch;
	bool registered;
};

/**
 * struct cp_watch - a watch
 * @users:	the snapshot and its freeze
 * @notifiers:	notifiers that have not been freed, and the users together as one more
 * @slave:	on the slave's memory
 * @frozen:	on the frozen memory
 * @lock:	held by a comparison that empties the log, and for @known
 * @known:	pages that have been found to differ, sorted
 * @log_lock:	all that follows; a raw lock, because the kernel may report from where it must
 *		not sleep
 * @everything:	the log does not say all
 * @changing:	number of changes that have begun and not ended
 * @nr:		number of spans in the log
 * @log:	the log
 */
struct cp_watch {
	refcount_t users;
	refcount_t notifiers;
	struct watcher slave;
	struct watcher frozen;
	struct mutex lock; /* see above */
	struct cp_spans known;
	raw_spinlock_t log_lock;
	bool everything;
	unsigned int changing;
	unsigned int nr;
	struct cp_span log[LOG_MAX];
};

static atomic_t nr_watches = ATOMIC_INIT(0);

static void watch_free(struct cp_watch *watch)
{
	if (!refcount_dec_and_test(&watch->notifiers))
		return;
	cp_spans_free(&watch->known);
	kvfree(watch);
	if (atomic_dec_and_test(&nr_watches))
		wake_up_var(&nr_watches);
}

static void watcher_free(struct mmu_notifier *notifier)
{
	watch_free(container_of(notifier, struct watcher, notifier)->watch);
}

/* Appends to the log, or to its last span: neighbours are often written in turn. */
static void log_add(struct cp_watch *watch, unsigned long start, unsigned long end)
{
	struct cp_span *last = watch->nr ? &watch->log[watch->nr - 1] : NULL;

	lockdep_assert_held(&watch->log_lock);
	/* The uprobes of 6.1 report the address of an instruction. */
	start = ALIGN_DOWN(start, PAGE_SIZE);
	end = PAGE_ALIGN(min(end, TASK_SIZE_MAX));
	if (last && start <= last->end && end >= last->start) {
		last->start = min(last->start, start);
		last->end = max(last->end, end);
	} else if (watch->nr < LOG_MAX) {
		watch->log[watch->nr++] = (struct cp_span){ start, end };
	} else {
		watch->everything = true;
	}
}

/* Does the page table name the same pages afterwards? */
static bool is_harmless(const struct mmu_notifier_range *range)
{
	return range->event == MMU_NOTIFY_PROTECTION_VMA ||
	       range->event == MMU_NOTIFY_PROTECTION_PAGE ||
	       range->event == MMU_NOTIFY_SOFT_DIRTY;
}

static int watcher_start(struct mmu_notifier *notifier,
			 const struct mmu_notifier_range *range)
{
	struct cp_watch *watch =
		container_of(notifier, struct watcher, notifier)->watch;

	if (is_harmless(range))
		return 0;
	raw_spin_lock(&watch->log_lock);
	watch->changing++;
	if (!watch->everything)
		log_add(watch, range->start, range->end);
	raw_spin_unlock(&watch->log_lock);
	return 0;
}

static void watcher_end(struct mmu_notifier *notifier,
			const struct mmu_notifier_range *range)
{
	struct cp_watch *watch =
		container_of(notifier, struct watcher, notifier)->watch;

	if (is_harmless(range))
		return;
	raw_spin_lock(&watch->log_lock);
	watch->changing--;
	raw_spin_unlock(&watch->log_lock);
}

static const struct mmu_notifier_ops watcher_ops = {
	.invalidate_range_start	= watcher_start,
	.invalidate_range_end	= watcher_end,
	.free_notifier		= watcher_free,
};

static void watcher_init(struct watcher *watcher, struct cp_watch *watch)
{
	watcher->notifier.ops = &watcher_ops;
	watcher->watch = watch;
}

/**
 * cp_watch_create - make a watch
 *
 * Return: the watch, with a use for the caller; NULL without memory.
 */
struct cp_watch *cp_watch_create(void)
{
	struct cp_watch *watch = kvzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);

	if (!watch)
		return NULL;
	refcount_set(&watch->users, 1);
	refcount_set(&watch->notifiers, 1);
	watcher_init(&watch->slave, watch);
	watcher_init(&watch->frozen, watch);
	mutex_init(&watch->lock);
	raw_spin_lock_init(&watch->log_lock);
	atomic_inc(&nr_watches);
	return watch;
}

/**
 * cp_watch_size - the memory of a watch
 *
 * Return: bytes.
 */
size_t cp_watch_size(void)
{
	return sizeof(struct cp_watch);
}

/**
 * cp_watch_ref - use a watch
 * @watch: the watch, of which the caller is a user already
 */
void cp_watch_ref(struct cp_watch *watch)
{
	refcount_inc(&watch->users);
}

static void watcher_withdraw(struct watcher *watcher)
{
	if (watcher->registered)
		mmu_notifier_put(&watcher->notifier);
}

/**
 * cp_watch_unref - do not use a watch any more
 * @watch: the watch
 */
void cp_watch_unref(struct cp_watch *watch)
{
	if (!refcount_dec_and_test(&watch->users))
		return;
	watcher_withdraw(&watch->slave);
	watcher_withdraw(&watch->frozen);
	watch_free(watch);
}

static int watcher_register(struct watcher *watcher, struct mm_struct *mm)
{
	int ret = mmu_notifier_register(&watcher->notifier, mm);

	if (ret)
		return ret;
	refcount_inc(&watcher->watch->notifiers);
	watcher->registered = true;
	return 0;
}

/**
 * cp_watch_slave - watch the slave's memory
 * @watch: the watch
 * @mm: the memory, with a reference on its pages
 *
 * May sleep.
 *
 * Return: 0; -EINTR when a signal is pending; -ENOMEM.
 */
int cp_watch_slave(struct cp_watch *watch, struct mm_struct *mm)
{
	return watcher_register(&watch->slave, mm);
}

/**
 * cp_watch_frozen - watch the frozen memory
 * @watch: the watch
 * @mm: the memory, with a reference on its pages
 *
 * May sleep.
 *
 * Return: as cp_watch_slave().
 */
int cp_watch_frozen(struct cp_watch *watch, struct mm_struct *mm)
{
	return watcher_register(&watch->frozen, mm);
}

/**
 * cp_watch_distrust - something may have changed that is not in the log
 * @watch: the watch
 */
void cp_watch_distrust(struct cp_watch *watch)
{
	raw_spin_lock(&watch->log_lock);
	watch->everything = true;
	raw_spin_unlock(&watch->log_lock);
}

/**
 * cp_watch_lock - begin a comparison that empties the log
 * @watch: the watch
 */
void cp_watch_lock(struct cp_watch *watch)
{
	mutex_lock(&watch->lock);
}

/**
 * cp_watch_unlock - end it
 * @watch: the watch
 */
void cp_watch_unlock(struct cp_watch *watch)
{
	mutex_unlock(&watch->lock);
}

/**
 * cp_spans_reserve - make room in a list
 * @spans: the list
 * @nr: for this many more spans
 *
 * Return: 0 or -ENOMEM.
 */
int cp_spans_reserve(struct cp_spans *spans, size_t nr)
{
	size_t room = spans->nr + nr;
	struct cp_span *grown;

	if (room <= spans->room)
		return 0;
	grown = kvmalloc_array(room, sizeof(*grown), GFP_KERNEL_ACCOUNT);
	if (!grown)
		return -ENOMEM;
	if (spans->nr)
		memcpy(grown, spans->spans, spans->nr * sizeof(*grown));
	kvfree(spans->spans);
	spans->spans = grown;
	spans->room = room;
	return 0;
}

/**
 * cp_spans_append - append to a list that has room
 * @spans: the list
 * @more: what is appended
 * @nr: the number of spans
 */
void cp_spans_append(struct cp_spans *spans, const struct cp_span *more, size_t nr)
{
	if (nr)
		memcpy(spans->spans + spans->nr, more, nr * sizeof(*more));
	spans->nr += nr;
}

/**
 * cp_watch_read - where pages may have changed
 * @watch: the watch; the caller has cp_watch_lock()
 * @forget: empty the log: the caller calls cp_watch_know() or cp_watch_distrust()
 * @spans: what is logged and known is appended
 *
 * A change that has begun, but not ended, stays in the log.
 *
 * Return: 0; 1 when all memory has to be compared; -ENOMEM.
 */
int cp_watch_read(struct cp_watch *watch, bool forget, struct cp_spans *spans)
{
	int everything;

	lockdep_assert_held(&watch->lock);
	if (cp_spans_reserve(spans, watch->known.nr + LOG_MAX))
		return -ENOMEM;
	cp_spans_append(spans, watch->known.spans, watch->known.nr);
	raw_spin_lock(&watch->log_lock);
	everything = watch->everything;
	cp_spans_append(spans, watch->log, watch->nr);
	if (forget && !watch->changing) {
		watch->nr = 0;
		watch->everything = false;
	}
	raw_spin_unlock(&watch->log_lock);
	return everything;
}

/**
 * cp_watch_know - pages have been found to differ
 * @watch: the watch; the caller has cp_watch_lock()
 * @spans: the pages
 */
void cp_watch_know(struct cp_watch *watch, const struct cp_spans *spans)
{
	struct cp_spans *known = &watch->known;

	lockdep_assert_held(&watch->lock);
	if (cp_spans_reserve(known, spans->nr)) {
		cp_watch_distrust(watch);
		return;
	}
	cp_spans_append(known, spans->spans, spans->nr);
	cp_spans_sort(known);
}

static int compare_spans(const void *a, const void *b)
{
	const struct cp_span *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/**
 * cp_spans_sort - sort a list, and merge what overlaps or adjoins
 * @spans: the list
 */
void cp_spans_sort(struct cp_spans *spans)
{
	struct cp_span *last = spans->spans;
	size_t i;

	if (!spans->nr)
		return;
	sort(spans->spans, spans->nr, sizeof(*spans->spans), compare_spans, NULL);
	for (i = 1; i < spans->nr; i++) {
		if (spans->spans[i].start <= last->end)
			last->end = max(last->end, spans->spans[i].end);
		else
			*++last = spans->spans[i];
	}
	spans->nr = last - spans->spans + 1;
}

/**
 * cp_spans_free - free a list
 * @spans: the list; empty afterwards
 */
void cp_spans_free(struct cp_spans *spans)
{
	kvfree(spans->spans);
	memset(spans, 0, sizeof(*spans));
}

/**
 * cp_watch_exit - wait until all watches are freed, of which none is used any more
 *
 * The last instructions of watcher_free() run after that; see cp_hook_exit().
 */
void cp_watch_exit(void)
{
	wait_var_event(&nr_watches, !atomic_read(&nr_watches));
}
