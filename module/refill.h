/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that a process has to get back from frozen memory (frozen.h).
 *
 * The pages that differ (changes.h) are found, and those that are needed allocated, before
 * anything is changed.
 */
#ifndef _CP_REFILL_H
#define _CP_REFILL_H

#include <linux/types.h>

struct cp_refill_page;
struct mm_struct;

/**
 * struct cp_refill - pages to be restored
 * @at:		the pages
 * @nr:		their number
 * @room:	number that @at has room for
 */
struct cp_refill {
	struct cp_refill_page *at;
	size_t nr;
	size_t room;
};

int cp_refill_find(struct cp_refill *refill, struct mm_struct *then,
		   unsigned long start, unsigned long end);
int cp_refill_add_all(struct cp_refill *refill, struct mm_struct *then,
		      unsigned long start, unsigned long end);
int cp_refill_reserve(struct cp_refill *refill, size_t first);
void cp_refill_restore(const struct cp_refill *refill);
void cp_refill_free(struct cp_refill *refill);

#endif /* _CP_REFILL_H */
