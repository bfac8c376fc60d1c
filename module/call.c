// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that are under way: call.h.
 */
#include <linux/atomic.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>

#include "call.h"
#include "pair.h"

/* A raw lock: the probe on sched_process_fork runs where preemption is off. */
static LIST_HEAD(under_way);
static DEFINE_RAW_SPINLOCK(under_way_lock);
static atomic_t nr_under_way = ATOMIC_INIT(0);

/**
 * cp_call_init - set a call up
 * @call: the call
 * @ops: its kind
 */
void cp_call_init(struct cp_call *call, const struct cp_call_ops *ops)
{
	call->ops = ops;
	INIT_LIST_HEAD(&call->node);
}

/**
 * cp_call_begin - thread: it is about to change something
 * @call: the call
 * @pair: the thread's pair
 *
 * On failure, too, cp_call_end() follows.
 *
 * Return: false when the pair is over: then the thread must not begin.
 */
bool cp_call_begin(struct cp_call *call, const struct cp_pair *pair)
{
	call->thread = get_task_struct(current);
	raw_spin_lock_irq(&under_way_lock);
	list_add(&call->node, &under_way);
	atomic_inc(&nr_under_way);
	raw_spin_unlock_irq(&under_way_lock);
	/* See cp_call_is_under_way(); orders the list and the pair's outcome. */
	smp_mb();
	return !cp_pair_is_over(pair);
}

/**
 * cp_call_end - the process is its program's again
 * @call: the call, whether it has begun or not
 */
void cp_call_end(struct cp_call *call)
{
	bool listed;

	raw_spin_lock_irq(&under_way_lock);
	listed = !list_empty(&call->node);
	if (listed) {
		list_del_init(&call->node);
		atomic_dec(&nr_under_way);
	}
	raw_spin_unlock_irq(&under_way_lock);
	if (listed)
		put_task_struct(call->thread);
}

/**
 * cp_call_of_current - the call that the current task executes
 * @ops: its kind
 *
 * Used for every new task on the machine. Any context.
 *
 * Return: the call, which stays while the current task does not return; or NULL.
 */
struct cp_call *cp_call_of_current(const struct cp_call_ops *ops)
{
	struct cp_call *call, *found = NULL;
	unsigned long flags;

	if (likely(!atomic_read(&nr_under_way)))
		return NULL;
	raw_spin_lock_irqsave(&under_way_lock, flags);
	list_for_each_entry(call, &under_way, node)
		if (call->thread == current && call->ops == ops)
			found = call;
	raw_spin_unlock_irqrestore(&under_way_lock, flags);
	return found;
}

/**
 * cp_call_is_under_way - does a thread of a process execute a call for a master?
 * @task: any thread of the process
 *
 * Called after a new pair is in the tables: either this sees the call, or cp_call_begin()
 * sees that its own pair is over.
 *
 * Return: true when one does.
 */
bool cp_call_is_under_way(struct task_struct *task)
{
	struct cp_call *call;
	bool found = false;

	raw_spin_lock_irq(&under_way_lock);
	list_for_each_entry(call, &under_way, node)
		found |= same_thread_group(call->thread, task);
	raw_spin_unlock_irq(&under_way_lock);
	return found;
}
