/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of pairs: which process is whose master or slave.
 *
 * Both tables are keyed by the process: the signal_struct that its threads
 * share, pinned by the pair's reference on one of them. A pair is in both from
 * cp_table_insert() to cp_table_remove(), and its processes count as paired
 * until cp_table_close(). Lookups run under RCU and take a reference on the pair
 * only if one is left.
 */
#ifndef _CP_TABLE_H
#define _CP_TABLE_H

#include <linux/types.h>

struct cp_pair;
struct task_struct;

/**
 * struct cp_table_cursor - a place in a walk over all pairs; starts zeroed
 * @bucket:	index of the hash bucket
 * @all:	include pairs that have not been announced, or are over
 * @passed:	the cp_entry.number of the last pair in @bucket that was passed; 0
 *		for none
 */
struct cp_table_cursor {
	unsigned int bucket;
	bool all;
	u64 passed;
};

int cp_table_check_caller(void);
bool cp_table_has(struct task_struct *task);
bool cp_table_is_hooked(struct task_struct *task);
int cp_table_insert(struct cp_pair *pair);
void cp_table_announce(struct cp_pair *pair);
void cp_table_set_hooked(struct cp_pair *pair);
bool cp_table_close(struct cp_pair *pair, u32 reason, s32 status);
void cp_table_remove(struct cp_pair *pair);

struct cp_pair *cp_table_find(pid_t nr);
struct cp_pair *cp_table_next(struct cp_table_cursor *cursor);
void cp_table_passed(struct cp_table_cursor *cursor, const struct cp_pair *pair);

typedef void (*cp_pair_fn)(struct cp_pair *pair);
void cp_table_master_exits(cp_pair_fn fn);
typedef void (*cp_fork_fn)(struct cp_pair *pair, struct task_struct *child);
void cp_table_slave_forks(cp_fork_fn fn, struct task_struct *child);

#endif /* _CP_TABLE_H */
