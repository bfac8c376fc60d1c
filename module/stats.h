/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a pair, and the module as a whole, have done so far.
 *
 * The module's figures are kept by each processor for itself and added up when
 * somebody asks.
 *
 * A pair's figures are written by its slave alone and read by anybody at any
 * time: each is one word, so a reader sees no torn value, but two figures need
 * not be of the same instant.
 */
#ifndef _CP_STATS_H
#define _CP_STATS_H

#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* Bucket n counts hold-ups of 2^n to 2^(n+1) - 1 ns; the last, all longer. */
#define CP_HELD_BUCKETS	32

/**
 * struct cp_stats - figures of one pair
 * @bytes:	bytes of stack copied
 * @held:	nanoseconds that the slave was held up, waiting and copying
 * @held_max:	the longest of them
 * @held_histogram: how often how long
 * @last_syscall: the last system call that a checkpoint was of, or -1
 * @last_flags:	CP_CHECKPOINT_* of the last checkpoint
 */
struct cp_stats {
	u64 bytes;
	u64 held;
	u64 held_max;
	u64 held_histogram[CP_HELD_BUCKETS];
	s32 last_syscall;
	u32 last_flags;
};

/**
 * struct cp_totals - figures of the module since it was loaded
 * @pairs_made:	pairs made
 * @pairs_over:	pairs that are over
 * @checkpoints: checkpoints handed over
 * @missed:	checkpoints not handed over because the slave's wait ran out
 * @bytes:	bytes of stack copied
 */
struct cp_totals {
	u64 pairs_made;
	u64 pairs_over;
	u64 checkpoints;
	u64 missed;
	u64 bytes;
};

DECLARE_PER_CPU(struct cp_totals, cp_totals);

/**
 * cp_stats_held - count a hold-up
 * @stats: the pair's figures
 * @ns: how long it was; negative when the clocks of two processors disagree
 */
static inline void cp_stats_held(struct cp_stats *stats, s64 ns)
{
	unsigned int bucket;

	if (ns < 1)
		ns = 1;
	bucket = ilog2(ns);
	if (bucket >= CP_HELD_BUCKETS)
		bucket = CP_HELD_BUCKETS - 1;
	WRITE_ONCE(stats->held, stats->held + ns);
	WRITE_ONCE(stats->held_histogram[bucket],
		   stats->held_histogram[bucket] + 1);
	if ((u64)ns > stats->held_max)
		WRITE_ONCE(stats->held_max, ns);
}

#endif /* _CP_STATS_H */
