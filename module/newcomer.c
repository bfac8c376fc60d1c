// SPDX-License-Identifier: GPL-2.0-only
/*
 * Newcomers: newcomer.h.
 */
#include <linux/checkpoint.h>
#include <linux/freezer.h>
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "newcomer.h"
#include "wait.h"

/* A raw lock: a newcomer is added where preemption is off. */
static DEFINE_HASHTABLE(newcomer_table, 6);
static DEFINE_RAW_SPINLOCK(newcomer_table_lock);

/**
 * cp_newcomer_alloc - allocate a newcomer
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Return: the newcomer, with a reference for the caller; or NULL.
 */
struct cp_newcomer *cp_newcomer_alloc(gfp_t gfp)
{
	struct cp_newcomer *newcomer;

	newcomer = kzalloc(sizeof(*newcomer), gfp | __GFP_ACCOUNT |
			   __GFP_NORETRY | __GFP_NOWARN);
	if (!newcomer)
		return NULL;
	refcount_set(&newcomer->refs, 1);
	INIT_LIST_HEAD(&newcomer->queued);
	return newcomer;
}

/**
 * cp_newcomer_unref - drop a reference
 * @newcomer: the newcomer, or NULL
 */
void cp_newcomer_unref(struct cp_newcomer *newcomer)
{
	if (newcomer && refcount_dec_and_test(&newcomer->refs))
		kfree(newcomer);
}

/**
 * cp_newcomer_add - let cp_newcomer_paired() and cp_newcomer_let_go() find a newcomer
 * @newcomer: the newcomer
 * @task: its task
 * @uid: the user who may let it go
 *
 * Any context.
 */
void cp_newcomer_add(struct cp_newcomer *newcomer, struct task_struct *task,
		     kuid_t uid)
{
	unsigned long flags;

	newcomer->task = task;
	newcomer->uid = uid;
	raw_spin_lock_irqsave(&newcomer_table_lock, flags);
	hash_add(newcomer_table, &newcomer->node, (unsigned long)task);
	raw_spin_unlock_irqrestore(&newcomer_table_lock, flags);
}

/**
 * cp_newcomer_remove - undo cp_newcomer_add()
 * @newcomer: the newcomer
 */
void cp_newcomer_remove(struct cp_newcomer *newcomer)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&newcomer_table_lock, flags);
	hash_del(&newcomer->node);
	raw_spin_unlock_irqrestore(&newcomer_table_lock, flags);
}

/* Ends the wait of a newcomer: of any user if @uid is NULL. Returns whether there was one. */
static bool newcomer_free(struct task_struct *task, const kuid_t *uid)
{
	struct cp_newcomer *newcomer;
	bool found = false;
	unsigned long flags;

	raw_spin_lock_irqsave(&newcomer_table_lock, flags);
	hash_for_each_possible(newcomer_table, newcomer, node,
			       (unsigned long)task) {
		if (newcomer->task != task || newcomer->free ||
		    (uid && !uid_eq(newcomer->uid, *uid)))
			continue;
		WRITE_ONCE(newcomer->free, true);
		found = true;
	}
	raw_spin_unlock_irqrestore(&newcomer_table_lock, flags);
	/* It sleeps in cp_newcomer_wait(), or will not begin to. */
	if (found)
		wake_up_process(task);
	return found;
}

/**
 * cp_newcomer_paired - let a newcomer continue with which a process has paired
 * @task: the task, which has a hook and may be a newcomer
 *
 * The newcomer's next step is the work of that hook.
 */
void cp_newcomer_paired(struct task_struct *task)
{
	newcomer_free(task, NULL);
}

/**
 * cp_newcomer_let_go - let a newcomer continue with which no process will pair
 * @task: the task, which may be a newcomer
 * @uid: the user who has made the pair due to which it waits; NULL for any user
 *
 * Return: false if no newcomer of @uid waits.
 */
bool cp_newcomer_let_go(struct task_struct *task, const kuid_t *uid)
{
	return newcomer_free(task, uid);
}

/* A limit may be longer than a timer of the kernel: the caller waits repeatedly. */
static long newcomer_timeout(u64 deadline)
{
	u64 now = ktime_get_ns();

	if (now >= deadline)
		return 0;
	return min_t(u64, nsecs_to_jiffies64(deadline - now) + 1,
		     MAX_JIFFY_OFFSET);
}

/* Is there a pair, will there be none, or has the master left without taking the child? */
static bool newcomer_may_go(const struct cp_newcomers *newcomers,
			    const struct cp_newcomer *newcomer, bool child)
{
	return READ_ONCE(newcomer->free) ||
	       (child && READ_ONCE(newcomers->closed) &&
		!READ_ONCE(newcomer->given));
}

/**
 * cp_newcomer_wait - newcomer: wait until a process has paired with it, or lets it go
 * @newcomer: the newcomer, after cp_newcomer_add(); the current task
 * @newcomers: the newcomers of its parent's pair, or of its own pair before an exec
 * @child: the newcomer is a child: it does not wait for a master that has left without
 *	taking it
 * @limit: the longest wait, in nanoseconds
 *
 * Called in the task's work, which may sleep, with no locks held: the task can be frozen.
 * Returns early when the task is killed.
 */
void cp_newcomer_wait(struct cp_newcomer *newcomer,
		      struct cp_newcomers *newcomers, bool child, u64 limit)
{
	u64 begun = ktime_get_ns(), deadline;
	long left;

	if (check_add_overflow(begun, limit, &deadline))
		deadline = U64_MAX;
	atomic_inc(&newcomers->waiting);
	do {
		left = newcomer_timeout(deadline);
		left = ___wait_event(newcomers->wait,
				     ___wait_cond_timeout(newcomer_may_go(newcomers,
									  newcomer, child)),
				     (TASK_KILLABLE | TASK_NOLOAD | TASK_FREEZABLE),
				     true, left,
				     __ret = schedule_timeout(__ret));
	} while (!left && ktime_get_ns() < deadline);
	atomic_dec(&newcomers->waiting);
}

/**
 * cp_newcomers_init - set up the newcomers of a pair
 * @newcomers: the newcomers, zeroed
 */
void cp_newcomers_init(struct cp_newcomers *newcomers)
{
	spin_lock_init(&newcomers->lock);
	INIT_LIST_HEAD(&newcomers->queue);
	init_waitqueue_head(&newcomers->wait);
}

/**
 * cp_newcomers_expect - a child has been created, and will queue itself
 * @newcomers: those of the parent's pair
 *
 * Until cp_newcomers_queue() or cp_newcomers_skip(), the master waits for the child even if
 * the pair is over. Any context.
 */
void cp_newcomers_expect(struct cp_newcomers *newcomers)
{
	atomic_inc(&newcomers->unborn);
}

/**
 * cp_newcomers_skip - a child that was expected dies before it queues itself
 * @newcomers: those of the parent's pair
 */
void cp_newcomers_skip(struct cp_newcomers *newcomers)
{
	atomic_dec(&newcomers->unborn);
}

/**
 * cp_newcomers_queue - let the master take a newcomer that was expected
 * @newcomers: those of the parent's pair
 * @newcomer: the newcomer
 *
 * The queue gets a reference.
 *
 * Return: false when the master has left, or has too many to take.
 */
bool cp_newcomers_queue(struct cp_newcomers *newcomers,
			struct cp_newcomer *newcomer)
{
	bool open;

	spin_lock(&newcomers->lock);
	open = !newcomers->closed && newcomers->nr < CP_CHILDREN_MAX;
	if (open) {
		newcomers->nr++;
		refcount_inc(&newcomer->refs);
		list_add_tail(&newcomer->queued, &newcomers->queue);
	}
	/* With the lock held: cp_newcomers_over() sees the child in one place or the other. */
	atomic_dec(&newcomers->unborn);
	spin_unlock(&newcomers->lock);
	return open;
}

/**
 * cp_newcomers_any - would cp_newcomers_take() find one?
 * @newcomers: those of a pair
 *
 * Return: true when it would; it may change at any time.
 */
bool cp_newcomers_any(const struct cp_newcomers *newcomers)
{
	return !list_empty_careful(&newcomers->queue);
}

/**
 * cp_newcomers_over - has the master of a pair that is over taken all newcomers?
 * @newcomers: those of the pair
 *
 * Return: true when there are none, and will be none.
 */
bool cp_newcomers_over(struct cp_newcomers *newcomers)
{
	bool over;

	spin_lock(&newcomers->lock);
	over = list_empty(&newcomers->queue) &&
	       (newcomers->closed || !atomic_read(&newcomers->unborn));
	spin_unlock(&newcomers->lock);
	return over;
}

/**
 * cp_newcomers_take - master: take the first newcomer
 * @newcomers: those of the pair
 *
 * Return: the newcomer, with the queue's reference; NULL when there is none.
 */
struct cp_newcomer *cp_newcomers_take(struct cp_newcomers *newcomers)
{
	struct cp_newcomer *newcomer;

	spin_lock(&newcomers->lock);
	newcomer = list_first_entry_or_null(&newcomers->queue,
					    struct cp_newcomer, queued);
	if (newcomer) {
		list_del_init(&newcomer->queued);
		newcomers->nr--;
		WRITE_ONCE(newcomer->given, true);
	}
	spin_unlock(&newcomers->lock);
	return newcomer;
}

/**
 * cp_newcomers_put_back - undo cp_newcomers_take()
 * @newcomers: those of the pair
 * @newcomer: the newcomer
 */
void cp_newcomers_put_back(struct cp_newcomers *newcomers,
			   struct cp_newcomer *newcomer)
{
	spin_lock(&newcomers->lock);
	list_add(&newcomer->queued, &newcomers->queue);
	newcomers->nr++;
	WRITE_ONCE(newcomer->given, false);
	spin_unlock(&newcomers->lock);
}

/**
 * cp_newcomers_close - the master has left: only children that it has taken wait
 * @newcomers: those of the pair
 *
 * The master may still take those that are queued. May be called more than once. May
 * sleep.
 */
void cp_newcomers_close(struct cp_newcomers *newcomers)
{
	spin_lock(&newcomers->lock);
	WRITE_ONCE(newcomers->closed, true);
	spin_unlock(&newcomers->lock);
	/*
	 * Pairs with set_current_state() in cp_newcomer_wait(): a child that is not
	 * counted yet finds @closed.
	 */
	smp_mb();
	cp_wake_waiters(&newcomers->wait, atomic_read(&newcomers->waiting));
}

/**
 * cp_newcomers_destroy - free what the master has not taken
 * @newcomers: those of a pair that is not used any more
 */
void cp_newcomers_destroy(struct cp_newcomers *newcomers)
{
	struct cp_newcomer *newcomer;

	while ((newcomer = cp_newcomers_take(newcomers)))
		cp_newcomer_unref(newcomer);
}
