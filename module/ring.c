// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring of slots: waiting, and who may touch which slot when.
 */
#include <linux/checkpoint.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "ring.h"

/* Sleeps until woken or until @deadline; false when that has passed. */
static bool sleep_until(u64 deadline)
{
	ktime_t expires = deadline;

	/* No timer for what is beyond the end of time. */
	return schedule_hrtimeout_range(deadline < KTIME_MAX ? &expires : NULL,
					0, HRTIMER_MODE_ABS);
}

/*
 * Waits until @condition holds, @deadline (CLOCK_MONOTONIC, in nanoseconds;
 * CP_FOREVER: none) passes or a signal arrives. Freezable, and therefore
 * entered without locks. Gives 0, -ETIME or -ERESTARTSYS.
 */
#define cp_wait_event(wq, condition, deadline)				\
({									\
	bool __done = false, __late = false;				\
	int __err;							\
									\
	might_sleep();							\
	__err = ___wait_event(wq, (__done = (condition)) || __late,	\
			      (TASK_INTERRUPTIBLE | TASK_FREEZABLE),	\
			      0, 0, __late = !sleep_until(deadline));	\
	__done ? 0 : __err ?: -ETIME;					\
})

/**
 * cp_ring_init - set a ring up
 * @ring: the ring
 * @nr_slots: number of slots
 * @master_wait: the wait queue of the file; outlives the ring
 */
void cp_ring_init(struct cp_ring *ring, unsigned int nr_slots,
		  wait_queue_head_t *master_wait)
{
	spin_lock_init(&ring->lock);
	init_waitqueue_head(&ring->slave_wait);
	ring->master_wait = master_wait;
	ring->nr_slots = nr_slots;
}

static bool may_claim(const struct cp_ring *ring)
{
	lockdep_assert_held(&ring->lock);
	return ring->getters && ring->head - ring->tail < ring->nr_slots;
}

/* True when the slave need not wait on: it has the slot, or all is over. */
static bool try_claim(struct cp_ring *ring)
{
	bool done;

	spin_lock(&ring->lock);
	if (!ring->over && may_claim(ring))
		ring->filling = true;
	done = ring->filling || ring->over;
	if (done)
		ring->slave_waiting = false;
	spin_unlock(&ring->lock);
	return done;
}

static void set_slave_waiting(struct cp_ring *ring, bool waiting)
{
	spin_lock(&ring->lock);
	ring->slave_waiting = waiting;
	spin_unlock(&ring->lock);
	/* A master that does not wait is one that asks whether it is here. */
	if (wq_has_sleeper(ring->master_wait))
		wake_up_interruptible_poll(ring->master_wait, EPOLLIN);
}

/**
 * cp_ring_claim - slave: wait until the next slot may be written
 * @ring: the ring
 * @wait_limit: most nanoseconds to wait; 0 for no limit
 * @slot: receives the slot's number
 * @seq: receives the checkpoint's number; the first is 1, missed ones count
 *
 * Return: 0: the slot is the caller's until cp_ring_publish() or
 * cp_ring_abandon(); -EPIPE: the ring is closed; -ERESTARTSYS: a signal is
 * pending; -ETIME: @wait_limit passed, which has been counted.
 */
int cp_ring_claim(struct cp_ring *ring, u64 wait_limit, unsigned int *slot,
		  u64 *seq)
{
	int ret = 0;

	if (!try_claim(ring)) {
		u64 deadline = CP_FOREVER;

		if (wait_limit)
			deadline = ktime_add_safe(ktime_get(), wait_limit);
		set_slave_waiting(ring, true);
		ret = cp_wait_event(ring->slave_wait, try_claim(ring),
				    deadline);
		if (ret)
			set_slave_waiting(ring, false);
	}

	spin_lock(&ring->lock);
	if (ret == -ETIME)
		ring->missed++;
	else if (!ret && !ring->filling)
		ret = -EPIPE;
	*slot = ring->head % ring->nr_slots;
	*seq = ring->head + ring->missed + 1;
	spin_unlock(&ring->lock);
	return ret;
}

static void end_filling(struct cp_ring *ring, unsigned int published)
{
	spin_lock(&ring->lock);
	ring->filling = false;
	ring->head += published;
	spin_unlock(&ring->lock);
	wake_up_interruptible_poll(ring->master_wait, EPOLLIN);
}

/**
 * cp_ring_publish - slave: the claimed slot is written
 * @ring: the ring
 */
void cp_ring_publish(struct cp_ring *ring)
{
	end_filling(ring, 1);
}

/**
 * cp_ring_abandon - slave: the claimed slot stays as if never claimed
 * @ring: the ring
 */
void cp_ring_abandon(struct cp_ring *ring)
{
	end_filling(ring, 0);
}

/* A master need not wait when one of these holds; the first one decides. */
enum take { TAKE_WAIT, TAKE_SLOT, TAKE_OVER, TAKE_AGAIN };

static enum take try_take(struct cp_ring *ring, bool nonblock)
{
	enum take take = TAKE_WAIT;

	spin_lock(&ring->lock);
	if (ring->head != ring->tail) {
		if (!ring->taking) {
			ring->taking = true;
			take = TAKE_SLOT;
		}
	} else if (ring->over && !ring->filling) {
		take = TAKE_OVER;
	} else if (nonblock && !ring->slave_waiting && !ring->filling) {
		take = TAKE_AGAIN;
	}
	spin_unlock(&ring->lock);
	return take;
}

static void count_getter(struct cp_ring *ring, int change)
{
	spin_lock(&ring->lock);
	ring->getters += change;
	spin_unlock(&ring->lock);
	if (change > 0)
		wake_up_interruptible(&ring->slave_wait);
}

/**
 * cp_ring_take - master: wait for the next checkpoint
 * @ring: the ring
 * @deadline: CLOCK_MONOTONIC in nanoseconds; 0: do not wait for a slave that
 *	has not come; CP_FOREVER: no limit
 * @slot: receives the slot's number
 *
 * Return: 1: the slot is the caller's until cp_ring_taken() or
 * cp_ring_put_back(); 0: none is left and none will come; -EAGAIN, -ETIMEDOUT;
 * -ERESTARTSYS: a signal is pending. A checkpoint is lost in no case.
 */
int cp_ring_take(struct cp_ring *ring, u64 deadline, unsigned int *slot)
{
	enum take take;
	int ret;

	count_getter(ring, 1);
	ret = cp_wait_event(*ring->master_wait,
			    (take = try_take(ring, !deadline)) != TAKE_WAIT,
			    deadline ?: CP_FOREVER);
	count_getter(ring, -1);
	if (ret)
		return ret == -ETIME ? -ETIMEDOUT : ret;
	if (take == TAKE_AGAIN)
		return -EAGAIN;
	*slot = ring->tail % ring->nr_slots;
	return take == TAKE_SLOT;
}

static void end_taking(struct cp_ring *ring, unsigned int taken)
{
	spin_lock(&ring->lock);
	ring->taking = false;
	ring->tail += taken;
	spin_unlock(&ring->lock);
	/* Another thread of the master may wait for its turn with the slot, */
	if (wq_has_sleeper(ring->master_wait))
		wake_up_interruptible_poll(ring->master_wait, EPOLLIN);
	/* and the slave for the slot, when that thread wants one. */
	if (wq_has_sleeper(&ring->slave_wait))
		wake_up_interruptible(&ring->slave_wait);
}

/**
 * cp_ring_taken - master: the slot has been read
 * @ring: the ring
 */
void cp_ring_taken(struct cp_ring *ring)
{
	end_taking(ring, 1);
}

/**
 * cp_ring_put_back - master: the slot's checkpoint is for the next taker
 * @ring: the ring
 */
void cp_ring_put_back(struct cp_ring *ring)
{
	end_taking(ring, 0);
}

/**
 * cp_ring_ready - would cp_ring_take() not wait?
 * @ring: the ring
 *
 * Return: true when a checkpoint or the slave is there.
 */
bool cp_ring_ready(struct cp_ring *ring)
{
	bool ready;

	spin_lock(&ring->lock);
	ready = ring->head != ring->tail || ring->slave_waiting || ring->over;
	spin_unlock(&ring->lock);
	return ready;
}

/**
 * cp_ring_missed - how many checkpoints were not handed over
 * @ring: the ring
 *
 * Return: their number.
 */
u64 cp_ring_missed(struct cp_ring *ring)
{
	u64 missed;

	spin_lock(&ring->lock);
	missed = ring->missed;
	spin_unlock(&ring->lock);
	return missed;
}

/**
 * cp_ring_state - which of the two is waiting
 * @ring: the ring
 *
 * Return: the state, which may have changed by then.
 */
enum cp_ring_state cp_ring_state(struct cp_ring *ring)
{
	enum cp_ring_state state = CP_RING_RUNNING;

	spin_lock(&ring->lock);
	if (ring->over)
		state = CP_RING_OVER;
	else if (ring->slave_waiting)
		state = CP_RING_SLAVE_WAITING;
	else if (ring->getters)
		state = CP_RING_MASTER_WAITING;
	spin_unlock(&ring->lock);
	return state;
}

/**
 * cp_ring_state_name - a state in words
 * @state: the state
 *
 * Return: a word.
 */
const char *cp_ring_state_name(enum cp_ring_state state)
{
	static const char * const names[] = {
		[CP_RING_RUNNING]		= "running",
		[CP_RING_SLAVE_WAITING]		= "slave-waiting",
		[CP_RING_MASTER_WAITING]	= "master-waiting",
		[CP_RING_OVER]			= "over",
	};

	return names[state];
}

/**
 * cp_ring_show - state and counters, for fdinfo
 * @ring: the ring
 * @seq: where they are written
 */
void cp_ring_show(struct cp_ring *ring, struct seq_file *seq)
{
	seq_printf(seq, "state:\t%s\n",
		   cp_ring_state_name(cp_ring_state(ring)));
	seq_printf(seq, "taken:\t%llu\n", READ_ONCE(ring->tail));
	seq_printf(seq, "missed:\t%llu\n", READ_ONCE(ring->missed));
}

/**
 * cp_ring_close - no further checkpoint comes
 * @ring: the ring
 *
 * The slave stops waiting at once; masters do when they have taken what is
 * there.
 */
void cp_ring_close(struct cp_ring *ring)
{
	spin_lock(&ring->lock);
	ring->over = true;
	spin_unlock(&ring->lock);
	wake_up_interruptible(&ring->slave_wait);
	wake_up_interruptible_poll(ring->master_wait, EPOLLIN | EPOLLHUP);
}
