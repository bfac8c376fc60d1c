// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads of slaves: thread.h.
 */
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "pair.h"
#include "thread.h"

/* A raw lock: a thread is added where preemption is off. */
static DEFINE_HASHTABLE(threads, 10);
static DEFINE_RAW_SPINLOCK(threads_lock);

/**
 * cp_thread_alloc - allocate the memory of a thread
 * @gfp: GFP_KERNEL or GFP_ATOMIC
 *
 * Return: the memory, to be given to cp_thread_add() or to kfree(); or NULL.
 */
struct cp_thread *cp_thread_alloc(gfp_t gfp)
{
	return kzalloc(sizeof(struct cp_thread),
		       gfp | __GFP_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
}

static bool is_thread_of(const struct cp_thread *thread,
			 const struct cp_pair *pair,
			 const struct task_struct *task)
{
	return thread->hook.task == task && thread->pair == pair;
}

/**
 * cp_thread_add - make a task a thread of a pair, unless it is one already
 * @thread: the memory
 * @pair: the pair
 * @task: the task
 *
 * Lookups find the thread from here on, but do not use it before its hook is armed, which
 * only the caller does, after cp_thread_init(). Any context.
 *
 * Return: false when @task is a thread of @pair already; then @thread is unused.
 */
bool cp_thread_add(struct cp_thread *thread, struct cp_pair *pair,
		   struct task_struct *task)
{
	unsigned long key = (unsigned long)task, flags;
	struct cp_thread *other;
	bool found = false;

	raw_spin_lock_irqsave(&threads_lock, flags);
	hash_for_each_possible(threads, other, node, key)
		found |= is_thread_of(other, pair, task);
	if (!found) {
		thread->pair = pair;
		thread->hook.task = task;
		hash_add_rcu(threads, &thread->node, key);
	}
	raw_spin_unlock_irqrestore(&threads_lock, flags);
	return !found;
}

/**
 * cp_thread_init - take what the thread holds
 * @thread: the thread, after cp_thread_add(); the caller keeps its task, and has a
 *	reference on its pair
 *
 * Any context.
 */
void cp_thread_init(struct cp_thread *thread)
{
	struct task_struct *task = get_task_struct(thread->hook.task);
	struct cp_pair *pair = thread->pair;

	refcount_set(&thread->refs, 1);
	cp_pair_ref(pair);
	thread->pid = get_task_pid(task, PIDTYPE_PID);
	thread->nr = pid_nr_ns(thread->pid, ns_of_pid(pair->master.pid));
	cp_hook_prepare(&thread->hook, task, pair->hook_ops,
			pair->ask.interval || pair->ask.every > 1);
}

/**
 * cp_thread_remove - undo cp_thread_add()
 * @thread: the thread
 */
void cp_thread_remove(struct cp_thread *thread)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&threads_lock, flags);
	hash_del_rcu(&thread->node);
	raw_spin_unlock_irqrestore(&threads_lock, flags);
}

static void thread_free(struct cp_thread *thread)
{
	kfree(thread->spare);
	cp_newcomer_unref(thread->spare_child);
	put_pid(thread->pid);
	put_task_struct(thread->hook.task);
	cp_pair_unref(thread->pair);
	kfree_rcu(thread, rcu);
}

/**
 * cp_thread_ref - take a reference
 * @thread: the thread; the caller holds a reference already
 */
void cp_thread_ref(struct cp_thread *thread)
{
	refcount_inc(&thread->refs);
}

/**
 * cp_thread_unref - drop a reference
 * @thread: the thread
 *
 * May sleep.
 */
void cp_thread_unref(struct cp_thread *thread)
{
	if (refcount_dec_and_test(&thread->refs))
		thread_free(thread);
}

/**
 * cp_thread_find - find a thread by its task
 * @pair: its pair
 * @task: its task
 *
 * Return: the thread, or NULL. It stays during the caller's RCU section; if @task is the
 * caller, until the caller returns to user mode.
 */
struct cp_thread *cp_thread_find(const struct cp_pair *pair,
				 const struct task_struct *task)
{
	struct cp_thread *thread;

	hash_for_each_possible_rcu(threads, thread, node, (unsigned long)task)
		if (is_thread_of(thread, pair, task))
			return thread;
	return NULL;
}

/**
 * cp_thread_for_current - find the threads that the current task is, of any pair
 * @fn: called for each
 *
 * Any context.
 */
void cp_thread_for_current(cp_thread_fn fn)
{
	unsigned long key = (unsigned long)current;
	struct cp_thread *thread;

	rcu_read_lock();
	hash_for_each_possible_rcu(threads, thread, node, key)
		if (thread->hook.task == current)
			fn(thread);
	rcu_read_unlock();
}
