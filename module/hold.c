// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding a slave: hold.h.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "gate.h"
#include "hold.h"
#include "pair.h"

/*
 * The last thread to arrive at the gate wakes the holder. A thread that begins to wait for
 * a place in its ring, is left asleep, or exits may complete the hold, too, and does not
 * wake it: look again after this time.
 */
#define LOOK_AGAIN	msecs_to_jiffies(2)

/*
 * Gives how many threads have to arrive at the gate, so that all of them execute nothing.
 * A new thread is counted in @hooked before its creator arrives.
 */
static unsigned int hold_count_wanted(struct cp_pair *pair, bool asleep,
				      struct cp_hold_result *result)
{
	unsigned int elsewhere = cp_parts_stuck(&pair->parts);
	unsigned int hooked;

	result->nr_asleep = asleep ? cp_parts_asleep(&pair->parts) : 0;
	elsewhere += result->nr_asleep;
	/* Threads that have been counted may have been killed since. */
	hooked = max_t(unsigned int, atomic_read(&pair->hooked), elsewhere);
	result->nr_threads = hooked - result->nr_asleep;
	return hooked - elsewhere;
}

/* Gives 0, -ETIMEDOUT, -ERESTARTSYS, or -EPIPE when the pair is over. */
static int hold_gather(struct cp_pair *pair, u64 deadline, bool asleep,
		       struct cp_hold_result *result)
{
	for (;;) {
		/* In this order: a thread that arrives meanwhile is not counted twice. */
		unsigned int arrived = cp_gate_parked(&pair->gate);
		unsigned int wanted = hold_count_wanted(pair, asleep, result);
		int ret;

		if (arrived >= wanted)
			return 0;
		if (cp_pair_is_over(pair))
			return -EPIPE;
		/* If the limit has passed, the gate is open. */
		if (ktime_get_ns() >= deadline || !cp_gate_is_closed(&pair->gate))
			return -ETIMEDOUT;
		ret = cp_gate_await(&pair->gate, wanted, LOOK_AGAIN);
		if (ret)
			return ret;
	}
}

/**
 * cp_hold_begin_locked - cp_hold_begin() for a caller that has cp_gate.holding
 * @pair: as there
 * @deadline: as there
 * @limit: as there
 * @asleep: as there
 * @result: as there
 *
 * Return: as there.
 */
int cp_hold_begin_locked(struct cp_pair *pair, u64 deadline, u64 limit,
			 bool asleep, struct cp_hold_result *result)
{
	int ret;

	lockdep_assert_held(&pair->gate.holding);
	if (!cp_gate_close(&pair->gate))
		return -EALREADY;
	/* cp_life_end() opens the gate after this has been set. */
	if (cp_pair_is_over(pair)) {
		cp_gate_open(&pair->gate);
		return -EPIPE;
	}
	cp_gate_limit(&pair->gate, limit);
	cp_parts_hold(&pair->parts, asleep);
	ret = hold_gather(pair, deadline, asleep, result);
	if (!ret)
		return 0;
	result->late = cp_parts_late(&pair->parts, asleep);
	cp_gate_open(&pair->gate);
	return ret;
}

/**
 * cp_hold_begin - master: hold all threads of the slave
 * @pair: the pair
 * @deadline: CLOCK_MONOTONIC in nanoseconds; CP_FOREVER: no limit
 * @limit: the slave continues after this many nanoseconds
 * @asleep: interrupt no system call: threads that sleep in one are left asleep
 * @result: filled in
 *
 * Without @asleep, threads that sleep in the kernel are nudged. On failure all threads
 * continue, unless they were held before.
 *
 * Return: 0; -EALREADY when the slave is held already; -ETIMEDOUT; -EPIPE when the pair
 * is over; -ERESTARTSYS: a signal is pending.
 */
int cp_hold_begin(struct cp_pair *pair, u64 deadline, u64 limit, bool asleep,
		  struct cp_hold_result *result)
{
	int ret;

	if (mutex_lock_interruptible(&pair->gate.holding))
		return -ERESTARTSYS;
	ret = cp_hold_begin_locked(pair, deadline, limit, asleep, result);
	mutex_unlock(&pair->gate.holding);
	return ret;
}

/**
 * cp_hold_all - have all threads of a held slave at the gate
 * @pair: the pair; the caller has cp_gate.holding
 * @deadline: CLOCK_MONOTONIC in nanoseconds
 * @late: with -ETIMEDOUT: set as in struct cp_hold_result
 *
 * Threads that were left asleep are nudged.
 *
 * Return: as cp_hold_begin(), without -EALREADY; -ENOBUFS when a thread waits for a place in
 * its ring.
 */
int cp_hold_all(struct cp_pair *pair, u64 deadline, s32 *late)
{
	struct cp_hold_result result = { };
	int ret;

	lockdep_assert_held(&pair->gate.holding);
	cp_parts_hold(&pair->parts, false);
	ret = hold_gather(pair, deadline, false, &result);
	if (ret == -ETIMEDOUT)
		*late = cp_parts_late(&pair->parts, false);
	if (!ret && cp_parts_stuck(&pair->parts))
		ret = -ENOBUFS;
	return ret;
}

/* Waits until a thread that sleeps has returned from its call. */
static int hold_await_one(struct cp_pair *pair, u64 deadline)
{
	if (cp_pair_is_over(pair))
		return -EPIPE;
	if (ktime_get_ns() >= deadline || !cp_gate_is_closed(&pair->gate))
		return -ETIMEDOUT;
	return cp_gate_await(&pair->gate, 1, LOOK_AGAIN);
}

/**
 * cp_hold_for_call - have a thread of a held slave at the gate, to execute a call
 * @pair: the pair; the caller has cp_gate.holding
 * @deadline: CLOCK_MONOTONIC in nanoseconds
 * @late: with -ETIMEDOUT: set as in struct cp_hold_result
 *
 * After a success, no thread sleeps in a call that could find a child.
 *
 * Return: as cp_hold_begin(), without -EALREADY.
 */
int cp_hold_for_call(struct cp_pair *pair, u64 deadline, s32 *late)
{
	struct cp_hold_result result = { };
	int ret;

	lockdep_assert_held(&pair->gate.holding);
	for (;;) {
		ret = hold_gather(pair, deadline, true, &result);
		if (ret)
			break;
		ret = cp_parts_fetch(&pair->parts);
		if (!ret)
			return 0;
		if (ret == -EAGAIN)
			ret = hold_await_one(pair, deadline);
		if (ret < 0)
			break;
	}
	if (ret == -ETIMEDOUT)
		*late = cp_parts_late(&pair->parts, false);
	return ret;
}

/**
 * cp_hold_end - let a slave continue that has been held
 * @pair: the pair
 *
 * Waits for a hold that another thread of the master has begun.
 *
 * Return: 0; -ETIME when it has continued because the limit passed; -EALREADY when it was
 * not held; -ERESTARTSYS: a signal is pending.
 */
int cp_hold_end(struct cp_pair *pair)
{
	int ret;

	if (mutex_lock_interruptible(&pair->gate.holding))
		return -ERESTARTSYS;
	ret = cp_gate_open(&pair->gate);
	mutex_unlock(&pair->gate.holding);
	return ret;
}
