/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holding a slave: all its threads wait before user mode at the same time, with final
 * registers.
 */
#ifndef _CP_HOLD_H
#define _CP_HOLD_H

#include <linux/types.h>

struct cp_pair;

/**
 * struct cp_hold_result - the result of a hold
 * @nr_threads:	number of threads that are held
 * @nr_asleep:	number of threads that were left asleep
 * @late:	the id, for the master, of a thread that has not arrived; 0 for none
 */
struct cp_hold_result {
	unsigned int nr_threads;
	unsigned int nr_asleep;
	s32 late;
};

int cp_hold_begin(struct cp_pair *pair, u64 deadline, u64 limit, bool asleep,
		  struct cp_hold_result *result);
int cp_hold_begin_locked(struct cp_pair *pair, u64 deadline, u64 limit,
			 bool asleep, struct cp_hold_result *result);
int cp_hold_for_call(struct cp_pair *pair, u64 deadline, s32 *late);
int cp_hold_all(struct cp_pair *pair, u64 deadline, s32 *late);
int cp_hold_end(struct cp_pair *pair);

#endif /* _CP_HOLD_H */
