/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of a process have changed since a snapshot, or between two snapshots.
 *
 * A page is unchanged if and only if both page tables name the same physical page, in
 * memory or in swap. Without a page of its own, memory is zeroes or belongs to a file on
 * both sides, and is unchanged, too. A page that was written and has its old bytes again
 * is a changed one.
 *
 * With a watch (watch.h) only pages are looked at that may have changed. A page that appears
 * where none was causes no event. So the pages are counted: the later state must have as many
 * more as have been found. Otherwise, and without a watch, all page tables are compared.
 *
 * Only memory that the snapshot holds is compared: not mappings that are shared, devices,
 * and areas that a fork does not copy (CP_MAPPING_ABSENT). Memory that has been mapped
 * since is not in the list; layout.h finds it.
 */
#ifndef _CP_CHANGES_H
#define _CP_CHANGES_H

#include <linux/types.h>

struct cp_description;
struct cp_watch;
struct mm_struct;
struct task_struct;

/**
 * struct cp_side - one of the two states that are compared
 * @mm:		the memory, with a reference on its pages, the caller's only one
 * @text:	a description, which has the mappings
 * @process:	any thread of the process, which is held; NULL for frozen memory
 * @watch:	what has watched the process since; NULL without one
 */
struct cp_side {
	struct mm_struct *mm;
	const struct cp_description *text;
	struct task_struct *process;
	struct cp_watch *watch;
};

/**
 * struct cp_run - adjacent pages that have changed in the same way
 * @start:	the first address
 * @end:	the first one after them
 * @then:	the process had pages of its own there, which the frozen memory has. If not,
 *		it read zeroes or the file, and does so again when its page is dropped
 * @now:	the process has pages of its own there
 */
struct cp_run {
	unsigned long start;
	unsigned long end;
	bool then;
	bool now;
};

/**
 * struct cp_runs - a list of them, in the order of addresses; set to zeroes at first
 * @runs:	the list
 * @nr:		their number
 * @room:	the number that there is room for
 */
struct cp_runs {
	struct cp_run *runs;
	size_t nr;
	size_t room;
};

int cp_changes_find(const struct cp_side *then, const struct cp_side *now,
		    struct cp_runs *runs);
int cp_changes_find_in(struct mm_struct *then, struct mm_struct *now,
		       unsigned long start, unsigned long end, struct cp_runs *runs);
void cp_runs_free(struct cp_runs *runs);

#endif /* _CP_CHANGES_H */
