/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures of parts (parts.h), which sum up to those of a pair, and of the module.
 *
 * Each processor counts the module's figures separately; a reader adds them up.
 *
 * Only the thread that has a part writes its figures; others read them at any time. Each
 * is one word, so a reader sees no torn value, but two figures need not be of the same
 * instant.
 *
 * A hold-up counts while it lasts. @held alone says whether a hold-up is under way, so
 * that no reader counts a hold-up twice or sees a figure decrease.
 */
#ifndef _CP_STATS_H
#define _CP_STATS_H

#include <linux/bits.h>
#include <linux/checkpoint_netlink.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/types.h>

/* In cp_stats.held: a hold-up has begun and is not over. */
#define CP_HELD_OPEN	BIT_ULL(63)

/**
 * struct cp_stats - figures of one part
 * @bytes:	bytes of stack copied
 * @held_before: nanoseconds of all hold-ups that are over; only the writer reads it
 * @held:	@held_before; or, during a hold-up, (@held_before - @begun) with
 *		CP_HELD_OPEN set, to which a reader adds the current time
 * @begun:	when the latest hold-up began that cp_stats_hold() announced
 * @held_max:	the longest hold-up that is over
 * @held_histogram: element n counts hold-ups of 2^n to 2^(n+1) - 1 ns; the last one
 *		counts longer ones, too
 * @last_syscall: the system call of the last checkpoint that had one, or -1
 * @last_flags:	CP_CHECKPOINT_* of the last checkpoint
 */
struct cp_stats {
	u64 bytes;
	u64 held_before;
	u64 held;
	u64 begun;
	u64 held_max;
	u64 held_histogram[CP_NL_HELD_BUCKETS];
	s32 last_syscall;
	u32 last_flags;
};

/**
 * struct cp_totals - figures of the module since it was loaded
 * @pairs_made:	pairs made
 * @pairs_over:	pairs that are over
 * @checkpoints: checkpoints handed over
 * @missed:	checkpoints not handed over: the wait limit passed, or there was no
 *		memory for the slot
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
 * cp_stats_hold - a hold-up that may last begins
 * @stats: the part's figures
 * @begun: the time; cp_stats_held() follows in any case
 */
static inline void cp_stats_hold(struct cp_stats *stats, u64 begun)
{
	/* Pairs with the second load of cp_stats_read_held(). */
	smp_store_release(&stats->begun, begun);
	/* Pairs with the first load: a reader that sees CP_HELD_OPEN sees @begun. */
	smp_store_release(&stats->held,
			  (stats->held_before - begun) | CP_HELD_OPEN);
}

/**
 * cp_stats_held - count a hold-up that is over
 * @stats: the part's figures
 * @ns: its length; negative when the clocks of two processors disagree
 */
static inline void cp_stats_held(struct cp_stats *stats, s64 ns)
{
	unsigned int bucket;

	if (ns < 1)
		ns = 1;
	bucket = ilog2(ns);
	if (bucket >= CP_NL_HELD_BUCKETS)
		bucket = CP_NL_HELD_BUCKETS - 1;
	WRITE_ONCE(stats->held_histogram[bucket],
		   stats->held_histogram[bucket] + 1);
	if ((u64)ns > stats->held_max)
		WRITE_ONCE(stats->held_max, ns);
	stats->held_before += ns;
	/* After @held_max, where a reader finds a hold-up that is over. */
	smp_store_release(&stats->held, stats->held_before);
}

/**
 * struct cp_held - hold-ups of a thread, or of all threads of a slave
 * @total:	nanoseconds of all hold-ups
 * @longest:	nanoseconds of the longest
 */
struct cp_held {
	u64 total;
	u64 longest;
};

/**
 * cp_stats_read_held - read the hold-ups until now
 * @stats: the part's figures
 *
 * Return: the figures, including a hold-up that is under way. They never decrease.
 */
static inline struct cp_held cp_stats_read_held(const struct cp_stats *stats)
{
	/* Read first, so that the result never exceeds a later one. */
	u64 now = ktime_get_ns(), held, begun;
	struct cp_held result;

	do {
		/* Pairs with the last store of cp_stats_hold(). */
		held = smp_load_acquire(&stats->held);
		/* @held is read again below, so that @begun belongs to it. */
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
