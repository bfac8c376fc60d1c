// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate before user mode: gate.h.
 */
#include <linux/errno.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "gate.h"
#include "wait.h"

/*
 * Opens the gate, or, while it is bolted, has cp_gate_unbolt() open it. Gives false when the
 * gate is open already, or about to be. May sleep.
 */
static bool gate_open(struct cp_gate *gate, bool expired)
{
	bool opens, first;
	unsigned int nr;

	spin_lock(&gate->lock);
	nr = gate->nr_parked;
	first = gate->closed && !gate->opening;
	opens = first && !gate->bolted;
	if (first)
		gate->expired = expired;
	if (opens)
		WRITE_ONCE(gate->closed, false);
	else
		gate->opening = first || gate->opening;
	spin_unlock(&gate->lock);
	/* A thread that is counted and not in the queue yet finds the gate open. */
	if (opens)
		cp_wake_waiters(&gate->threads, nr);
	return first;
}

static void gate_expire(struct work_struct *work)
{
	gate_open(container_of(to_delayed_work(work), struct cp_gate, expiry),
		  true);
}

/**
 * cp_gate_init - set a gate up; it is open
 * @gate: the gate, zeroed
 */
void cp_gate_init(struct cp_gate *gate)
{
	mutex_init(&gate->holding);
	spin_lock_init(&gate->lock);
	init_waitqueue_head(&gate->threads);
	init_waitqueue_head(&gate->holder);
	INIT_DELAYED_WORK(&gate->expiry, gate_expire);
}

/**
 * cp_gate_destroy - undo cp_gate_init()
 * @gate: the gate, which is not used any more
 *
 * May sleep.
 */
void cp_gate_destroy(struct cp_gate *gate)
{
	cancel_delayed_work_sync(&gate->expiry);
}

/**
 * cp_gate_close - let threads wait
 * @gate: the gate
 *
 * Return: false when it is closed already.
 */
bool cp_gate_close(struct cp_gate *gate)
{
	bool open;

	spin_lock(&gate->lock);
	open = !gate->closed;
	if (open) {
		WRITE_ONCE(gate->generation, gate->generation + 1);
		WRITE_ONCE(gate->nr_parked, 0);
		WRITE_ONCE(gate->nr_awaited, UINT_MAX);
		WRITE_ONCE(gate->closed, true);
		gate->expired = false;
	}
	spin_unlock(&gate->lock);
	return open;
}

/**
 * cp_gate_limit - have the gate open without its holder
 * @gate: the gate, closed by the caller
 * @limit: the time until then, in nanoseconds, at least
 */
void cp_gate_limit(struct cp_gate *gate, u64 limit)
{
	unsigned long delay = min_t(u64, nsecs_to_jiffies64(limit) + 1,
				    MAX_JIFFY_OFFSET);

	mod_delayed_work(system_unbound_wq, &gate->expiry, delay);
}

/**
 * cp_gate_open - let threads continue
 * @gate: the gate
 *
 * May sleep.
 *
 * Return: 0; -ETIME, once, when the gate has opened because the limit passed; -EALREADY when
 * it was open.
 */
int cp_gate_open(struct cp_gate *gate)
{
	bool closed = gate_open(gate, false), expired;

	cancel_delayed_work_sync(&gate->expiry);
	spin_lock(&gate->lock);
	expired = gate->expired;
	gate->expired = false;
	spin_unlock(&gate->lock);
	if (closed)
		return 0;
	return expired ? -ETIME : -EALREADY;
}

/**
 * cp_gate_bolt - keep a closed gate closed while a thread executes a call
 * @gate: the gate
 *
 * Return: false when the gate is open, or bolted already.
 */
bool cp_gate_bolt(struct cp_gate *gate)
{
	bool bolts;

	spin_lock(&gate->lock);
	bolts = gate->closed && !gate->bolted;
	gate->bolted |= bolts;
	spin_unlock(&gate->lock);
	return bolts;
}

/**
 * cp_gate_unbolt - undo cp_gate_bolt()
 * @gate: the gate
 *
 * The gate opens if it was to open meanwhile. May sleep.
 */
void cp_gate_unbolt(struct cp_gate *gate)
{
	unsigned int nr;
	bool opens;

	spin_lock(&gate->lock);
	nr = gate->nr_parked;
	opens = gate->opening;
	gate->bolted = false;
	gate->opening = false;
	if (opens)
		WRITE_ONCE(gate->closed, false);
	spin_unlock(&gate->lock);
	if (opens)
		cp_wake_waiters(&gate->threads, nr);
}

/* Gives how many threads wait now; 0 when @ticket is not valid any more. */
static unsigned int gate_park(struct cp_gate *gate, unsigned int ticket)
{
	unsigned int nr = 0;

	spin_lock(&gate->lock);
	if (cp_gate_stops(gate, ticket)) {
		nr = gate->nr_parked + 1;
		WRITE_ONCE(gate->nr_parked, nr);
	}
	spin_unlock(&gate->lock);
	return nr;
}

static void gate_unpark(struct cp_gate *gate, unsigned int ticket)
{
	spin_lock(&gate->lock);
	if (gate->generation == ticket)
		WRITE_ONCE(gate->nr_parked, gate->nr_parked - 1);
	spin_unlock(&gate->lock);
}

/**
 * cp_gate_wait - thread: wait until the gate is open
 * @gate: the gate
 * @ticket: from cp_gate_ticket(); after the gate has been open, it is not valid any more
 * @call: ends the wait, too, when it is not NULL; the writer wakes the thread
 *
 * Called in the thread's work, which may sleep, with no locks held: the thread can be
 * frozen. Returns early when the thread is killed.
 */
void cp_gate_wait(struct cp_gate *gate, unsigned int ticket,
		  struct cp_call *const *call)
{
	unsigned int nr = gate_park(gate, ticket);

	if (!nr)
		return;
	/* Pairs with cp_gate_await(): one of the two sees what the other has written. */
	smp_mb();
	if (nr >= READ_ONCE(gate->nr_awaited))
		wake_up(&gate->holder);
	___wait_event(gate->threads,
		      !cp_gate_stops(gate, ticket) || READ_ONCE(*call),
		      (TASK_KILLABLE | TASK_NOLOAD | TASK_FREEZABLE),
		      true, 0, schedule());
	gate_unpark(gate, ticket);
}

/**
 * cp_gate_parked - how many threads wait
 * @gate: the gate
 *
 * Return: their number.
 */
unsigned int cp_gate_parked(struct cp_gate *gate)
{
	return READ_ONCE(gate->nr_parked);
}

static bool gate_has_arrived(const struct cp_gate *gate, unsigned int nr_threads)
{
	return READ_ONCE(gate->nr_parked) >= nr_threads ||
	       !cp_gate_is_closed(gate);
}

/**
 * cp_gate_await - holder: wait until enough threads wait, or the gate is open
 * @gate: the gate
 * @nr_threads: their number
 * @time: the most jiffies to wait
 *
 * The holder can be frozen.
 *
 * Return: 0, even if @time has passed; -ERESTARTSYS: a signal is pending.
 */
int cp_gate_await(struct cp_gate *gate, unsigned int nr_threads,
		  unsigned long time)
{
	long ret;

	WRITE_ONCE(gate->nr_awaited, nr_threads);
	/* Pairs with cp_gate_wait(). */
	smp_mb();
	ret = wait_event_freezable_timeout(gate->holder,
					   gate_has_arrived(gate, nr_threads), time);
	return min(ret, 0L);
}
