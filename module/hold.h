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
 * struct cp_hold_result - what has come of it
 * @nr_threads:	threads that are held
 * @late:	the id, for the master, of a thread that has not arrived; 0 for none
 */
struct cp_hold_result {
	unsigned int nr_threads;
	s32 late;
};

int cp_hold_begin(struct cp_pair *pair, u64 deadline, u64 limit,
		  struct cp_hold_result *result);
int cp_hold_end(struct cp_pair *pair);

#endif /* _CP_HOLD_H */
