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
 *
 * A hold-up counts while it lasts. @held says by itself whether one is under way,
 * so that a reader never sees it twice, nor less than another reader has seen
 * before.
 */
#ifndef _CP_STATS_H
#define _CP_STATS_H

#include <linux/bits.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* Bucket n counts hold-ups of 2^n to 2^(n+1) - 1 ns; the last, all longer. */
#define CP_HELD_BUCKETS	32

/* In cp_stats.held: a hold-up is under way. */
#define CP_HELD_OPEN	BIT_ULL(63)

/**
 * struct cp_stats - figures of one pair
 * @bytes:	bytes of stack copied
 * @held_before: nanoseconds that all hold-ups took which are over; the slave's own
 * @held:	the same; or, while one is under way, CP_HELD_OPEN and those minus
 *		@begun, to which a reader adds the time
 * @begun:	when the latest hold-up began that was shown while it lasted
 * @held_max:	the longest of those that are over
 * @held_histogram: how often how long
 * @last_syscall: the last system call that a checkpoint was of, or -1
 * @last_flags:	CP_CHECKPOINT_* of the last checkpoint
 */
struct cp_stats {
	u64 bytes;
	u64 held_before;
	u64 held;
	u64 begun;
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
 * cp_stats_hold - a hold-up begins, and may last
 * @stats: the pair's figures
 * @begun: when; cp_stats_held() follows, however it ends
 */
static inline void cp_stats_hold(struct cp_stats *stats, u64 begun)
{
	/* Pairs with the second load of cp_stats_read_held(). */
	smp_store_release(&stats->begun, begun);
	/* Pairs with its first: a reader that sees the hold-up sees @begun. */
	smp_store_release(&stats->held,
			  (stats->held_before - begun) | CP_HELD_OPEN);
}

/**
 * cp_stats_held - count a hold-up that is over
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
	WRITE_ONCE(stats->held_histogram[bucket],
		   stats->held_histogram[bucket] + 1);
	if ((u64)ns > stats->held_max)
		WRITE_ONCE(stats->held_max, ns);
	stats->held_before += ns;
	/* After @held_max: what is no longer under way is found there. */
	smp_store_release(&stats->held, stats->held_before);
}

/**
 * struct cp_held - for how long a slave has been held up
 * @total:	nanoseconds, all told
 * @longest:	the longest of them
 */
struct cp_held {
	u64 total;
	u64 longest;
};

/**
 * cp_stats_read_held - for how long has the slave been held up until now?
 * @stats: the pair's figures
 *
 * Return: the figures, with a hold-up that is under way. They never decrease.
 */
static inline struct cp_held cp_stats_read_held(const struct cp_stats *stats)
{
	/* First, so that it is never more than it comes to in the end. */
	u64 now = ktime_get_ns(), held, begun;
	struct cp_held result;

	do {
		/* Pairs with the last store of cp_stats_hold(). */
		held = smp_load_acquire(&stats->held);
		/* @held is read again after this, so that both belong together. */
		begun = smp_load_acquire(&stats->begun);
	} while (READ_ONCE(stats->held) != held);
	result.total = held;
	result.longest = READ_ONCE(stats->held_max);
	if (!(held & CP_HELD_OPEN))
		return result;
	now = max(now, begun);
	result.total = (held + now) & ~CP_HELD_OPEN;
	result.longest = max(result.longest, now - begun);
	return result;
}

#endif /* _CP_STATS_H */
