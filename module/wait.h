/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for a condition until a deadline: masters and the slave's threads.
 */
#ifndef _CP_WAIT_H
#define _CP_WAIT_H

#include <linux/errno.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>

/**
 * cp_sleep_until - sleep until woken
 * @deadline: CLOCK_MONOTONIC in nanoseconds
 *
 * Return: false when @deadline has passed.
 */
static inline bool cp_sleep_until(u64 deadline)
{
	ktime_t expires = deadline;

	/* A timer cannot be set beyond KTIME_MAX: sleep without one. */
	return schedule_hrtimeout_range(deadline < KTIME_MAX ? &expires : NULL,
					0, HRTIMER_MODE_ABS);
}

/*
 * Waits until @condition holds, @deadline (CLOCK_MONOTONIC, in nanoseconds;
 * CP_FOREVER: none) passes or a signal arrives. The sleep is freezable, so the
 * caller must hold no lock. Gives 0, -ETIME or -ERESTARTSYS.
 */
#define cp_wait_event(wq, condition, deadline)				\
({									\
	bool __done = false, __late = false;				\
	int __err;							\
									\
	might_sleep();							\
	__err = ___wait_event(wq, (__done = (condition)) || __late,	\
			      (TASK_INTERRUPTIBLE | TASK_FREEZABLE),	\
			      0, 0, __late = !cp_sleep_until(deadline)); \
	__done ? 0 : __err ?: -ETIME;					\
})

/* The most tasks that one call wakes with interrupts off. */
#define CP_WAKE_BATCH	64U

/**
 * cp_wake_waiters - wake the tasks that have waited longest
 * @wq: the wait queue, where they wait exclusively
 * @nr: the number of tasks to wake
 *
 * A task that is woken and waits again goes to the end of the queue, so the first @nr are
 * woken in any case. May sleep.
 */
static inline void cp_wake_waiters(struct wait_queue_head *wq, unsigned int nr)
{
	unsigned int batch;

	for (; nr; nr -= batch) {
		batch = min(nr, CP_WAKE_BATCH);
		wake_up_nr(wq, batch);
		cond_resched();
	}
}

#endif /* _CP_WAIT_H */
