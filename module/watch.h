/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watching a process since a snapshot: a log of the addresses whose pages may have become
 * other ones.
 *
 * Two mmu notifiers feed the log. The one on the slave's memory reports each write that
 * breaks copy-on-write, whoever writes, and each page that goes. The one on the frozen
 * memory reports what makes the slave the only owner of a page: KSM, for instance, may
 * merge the frozen page with another one. From then on the slave's writes cause no event.
 *
 * An event says where to look, and no more: the first write to a huge page is an event of
 * two megabytes. What has no event is found by counting (changes.c): a page that appears
 * where none was.
 *
 * Known spans
 * -----------
 * A page that has once been found to differ is one that the slave owns alone. It is written
 * without events, so it stays known. A logged page that does not differ is forgotten: the
 * next change has an event again.
 *
 * Life
 * ----
 * A watch has users: the snapshot, and the freeze that makes it, whose child registers the
 * notifier of the frozen memory. After the last one has gone, the notifiers are withdrawn
 * without waiting, and the last of them frees the watch; cp_watch_exit() waits for that. A
 * notifier keeps an mm_struct, but not its pages: the slave may exit or execute another
 * program, after which no events come.
 */
#ifndef _CP_WATCH_H
#define _CP_WATCH_H

#include <linux/types.h>

struct cp_watch;
struct mm_struct;

/**
 * struct cp_span - some memory
 * @start:	the first address
 * @end:	the first one after it
 */
struct cp_span {
	unsigned long start;
	unsigned long end;
};

/**
 * struct cp_spans - a list of spans; set to zeroes at first
 * @spans:	the list
 * @nr:		their number
 * @room:	the number that there is room for
 */
struct cp_spans {
	struct cp_span *spans;
	size_t nr;
	size_t room;
};

struct cp_watch *cp_watch_create(void);
void cp_watch_ref(struct cp_watch *watch);
void cp_watch_unref(struct cp_watch *watch);
size_t cp_watch_size(void);
int cp_watch_slave(struct cp_watch *watch, struct mm_struct *mm);
int cp_watch_frozen(struct cp_watch *watch, struct mm_struct *mm);
void cp_watch_distrust(struct cp_watch *watch);

void cp_watch_lock(struct cp_watch *watch);
void cp_watch_unlock(struct cp_watch *watch);
int cp_watch_read(struct cp_watch *watch, bool forget, struct cp_spans *spans);
void cp_watch_know(struct cp_watch *watch, const struct cp_spans *spans);

int cp_spans_reserve(struct cp_spans *spans, size_t nr);
void cp_spans_append(struct cp_spans *spans, const struct cp_span *more, size_t nr);
void cp_spans_sort(struct cp_spans *spans);
void cp_spans_free(struct cp_spans *spans);
void cp_watch_exit(void);

#endif /* _CP_WATCH_H */
