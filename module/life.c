// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a pair: how it begins and ends, and who is notified.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/checkpoint.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "call.h"
#include "compat.h"
#include "events.h"
#include "freeze.h"
#include "life.h"
#include "listeners.h"
#include "pair.h"
#include "pin.h"
#include "sysfs.h"
#include "table.h"
#include "tasks.h"
#include "thread.h"
#include "trace.h"

static void life_announce(struct cp_pair *pair)
{
	this_cpu_inc(cp_totals.pairs_made);
	trace_pair_made(pair);
	cp_listeners_attend(pair);
	cp_event_pair_made(pair);
	pr_debug("pair made: master %d, slave %d\n",
		 pid_nr(pair->master.pid), pid_nr(pair->slave.pid));
	cp_table_announce(pair);
}

static void master_exit_work(struct callback_head *work)
{
	struct cp_pair *pair = container_of(work, struct cp_pair,
					    master.exit_work);

	cp_life_end(pair, CP_END_DETACHED, 0);
	cp_pair_unref(pair);
	cp_unpin();
}

/* The last hook has been removed, and none is armed any more. */
static void life_unhooked(struct cp_pair *pair)
{
	/* Unless the pair is over already, all threads have exited. */
	cp_life_end(pair, CP_END_EXITED, READ_ONCE(pair->exit_status));
	trace_pair_unhooked(pair);
	cp_table_remove(pair);
	cp_tasks_unwatch(cp_pair_is_process(pair));
	cp_pair_unref(pair);
	cp_unpin();
}

/*
 * Does not sleep unless this is the last hook. After that, the module may be unloaded as
 * soon as this has returned; see cp_hook_exit().
 */
static void life_drop_hook(struct cp_pair *pair)
{
	if (atomic_dec_and_test(&pair->hooked))
		life_unhooked(pair);
}

/**
 * cp_life_newcomer_wait - newcomer: wait until a process has paired with it
 * @pair: its parent's pair, or its own before an exec
 * @newcomer: the newcomer, after cp_newcomer_add(); the current task
 * @child: as for cp_newcomer_wait()
 *
 * A pair that was made before cp_newcomer_add() did not find the newcomer: it is in the
 * table. Of a pair that is in the table without hooks, cp_life_begin() still has to find
 * the newcomer, which must not run before it has its hook.
 */
void cp_life_newcomer_wait(struct cp_pair *pair, struct cp_newcomer *newcomer,
			   bool child)
{
	if (!cp_table_is_hooked(current))
		cp_newcomer_wait(newcomer, &pair->parts.newcomers, child,
				 pair->ask.child_limit);
}

/* A child before its first instruction. */
static void child_work(struct callback_head *work)
{
	struct cp_newcomer *newcomer = container_of(work, struct cp_newcomer,
						    work);
	struct cp_pair *pair = newcomer->pair;

	if (current->flags & PF_EXITING) {
		cp_parts_stillborn(&pair->parts);
	} else if (cp_parts_announce(&pair->parts, newcomer)) {
		cp_event_child(pair);
		cp_life_newcomer_wait(pair, newcomer, true);
	}
	cp_newcomer_remove(newcomer);
	cp_newcomer_unref(newcomer);
	cp_pair_unref(pair);
	cp_unpin();
}

static int life_arm(struct cp_thread *thread)
{
	int ret;

	atomic_inc(&thread->pair->hooked);
	ret = cp_hook_arm(&thread->hook);
	/* Not to 0: the caller's count is left. */
	if (ret)
		atomic_dec(&thread->pair->hooked);
	return ret;
}

/* Makes a task that runs a thread of the pair, unless it is one already. */
static int life_hook(struct cp_pair *pair, struct task_struct *task)
{
	struct cp_thread *thread = cp_thread_alloc(GFP_KERNEL);
	int ret;

	if (!thread)
		return -ENOMEM;
	/* Before others find the thread: the task may be creating another task now. */
	if (cp_pair_is_process(pair))
		thread->spare = cp_thread_alloc(GFP_KERNEL);
	if (cp_pair_holds_children(pair))
		thread->spare_child = cp_newcomer_alloc(GFP_KERNEL);
	if (!cp_thread_add(thread, pair, task)) {
		kfree(thread->spare);
		cp_newcomer_unref(thread->spare_child);
		kfree(thread);
		return 0;
	}
	cp_thread_init(thread);
	ret = cp_parts_join(&pair->parts, &thread->hook, thread->nr,
			    &thread->part);
	if (ret)
		goto err_remove;
	ret = life_arm(thread);
	if (!ret)
		return 0;
	cp_parts_give_back(&pair->parts, thread->part);

err_remove:
	cp_thread_remove(thread);
	cp_thread_unref(thread);
	/* The pair is over already: others can find it, and end it by netlink. */
	return ret == -EPIPE ? 0 : ret;
}

/* How many tasks are looked up at a time. */
#define BATCH	32

/* Threads of the slave that the pair does not have yet; holds a reference on each. */
static unsigned int find_threads(struct cp_pair *pair,
				 struct task_struct *tasks[BATCH])
{
	struct task_struct *task;
	unsigned int nr = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(task, &pair->slave.task->signal->thread_head,
				thread_node) {
		/* data_race(): other flags change. */
		if (data_race(task->flags) & (PF_EXITING | CP_PF_KERNEL) ||
		    cp_thread_find(pair, task))
			continue;
		tasks[nr++] = get_task_struct(task);
		if (nr == BATCH)
			break;
	}
	rcu_read_unlock();
	return nr;
}

/* A thread that exits meanwhile does not belong to the pair. */
static int life_hook_process(struct cp_pair *pair)
{
	struct task_struct *tasks[BATCH];
	unsigned int nr, i;
	int ret = 0;

	do {
		nr = find_threads(pair, tasks);
		for (i = 0; i < nr; i++) {
			if (!ret)
				ret = life_hook(pair, tasks[i]);
			if (ret == -ESRCH)
				ret = 0;
			put_task_struct(tasks[i]);
		}
		if (!ret && signal_pending(current))
			ret = -ERESTARTNOINTR;
		cond_resched();
	} while (nr && !ret && !cp_pair_is_over(pair));
	return ret;
}

static int life_hook_all(struct cp_pair *pair)
{
	int ret;

	if (!cp_pair_is_process(pair))
		return life_hook(pair, pair->slave.task);
	/*
	 * Pairs with cp_table_slave_forks(): a thread whose creator still finds
	 * @hooked to be 0 is found by the walk over the threads.
	 */
	smp_mb();
	ret = life_hook_process(pair);
	/* Only the caller's count is left: all threads exit, or have exited meanwhile. */
	if (!ret && atomic_read(&pair->hooked) == 1 && !cp_pair_is_over(pair))
		ret = -ESRCH;
	return ret;
}

/**
 * cp_life_begin - make the caller the master of a slave
 * @pair: from cp_pair_create()
 *
 * Return: 0; -EALREADY, -EDEADLK or -EBUSY when another pair was made meanwhile,
 * -ESRCH when the slave is exiting, -EOVERFLOW when it has too many threads, -EDQUOT,
 * -ENOMEM; -ERESTARTNOINTR. On failure both processes are as before, and the caller
 * drops its reference.
 */
int cp_life_begin(struct cp_pair *pair)
{
	bool process = cp_pair_is_process(pair);
	int ret;

	init_task_work(&pair->master.exit_work, master_exit_work);
	ret = cp_tasks_watch(process);
	if (ret)
		return ret;
	ret = cp_table_insert(pair);
	if (ret)
		goto err_unwatch;
	/* A thread may still execute a call for the master of a pair that is over. */
	ret = cp_call_is_under_way(pair->slave.task) ? -EBUSY : 0;
	if (ret)
		goto err_remove;
	ret = cp_sysfs_add(pair);
	if (ret)
		goto err_remove;

	/* Before the hooks: events of the slave come after this one. */
	life_announce(pair);
	cp_pair_ref(pair);
	cp_pin();
	atomic_set(&pair->hooked, 1);
	ret = life_hook_all(pair);
	if (ret) {
		cp_life_end(pair, CP_END_DETACHED, 0);
		cp_sysfs_remove(pair);
	} else {
		/* In this order: see cp_life_newcomer_wait(). */
		cp_table_set_hooked(pair);
		cp_newcomer_paired(pair->slave.task);
	}
	life_drop_hook(pair);
	return ret;

err_remove:
	cp_table_remove(pair);
err_unwatch:
	cp_tasks_unwatch(process);
	return ret;
}

static void life_notify_end(struct cp_pair *pair)
{
	this_cpu_inc(cp_totals.pairs_over);
	trace_pair_ended(pair);
	cp_event_pair_ended(pair);
	pr_debug("pair over: master %d, slave %d: %s\n",
		 pid_nr(pair->master.pid), pid_nr(pair->slave.pid),
		 cp_pair_reason_name(pair->outcome.reason));
}

/**
 * cp_life_end - end a pair
 * @pair: the pair
 * @reason: CP_END_*
 * @status: with CP_END_EXITED, as waitpid(2) gives it
 *
 * The first caller decides the reason. The master's end may follow that of the slave: only
 * then children that it has not taken stop waiting. May sleep.
 */
void cp_life_end(struct cp_pair *pair, u32 reason, s32 status)
{
	bool first = cp_table_close(pair, reason, status);

	cp_parts_close(&pair->parts);
	if (reason == CP_END_DETACHED)
		cp_newcomers_close(&pair->parts.newcomers);
	cp_gate_open(&pair->gate);
	if (first)
		life_notify_end(pair);
}

/**
 * cp_life_thread_over - release a thread whose hook has been removed
 * @thread: the thread
 *
 * Called at the very end of the hook's work.
 */
void cp_life_thread_over(struct cp_thread *thread)
{
	struct cp_pair *pair = thread->pair;

	trace_thread_unhooked(thread);
	cp_thread_remove(thread);
	if (thread->part)
		cp_parts_leave(&pair->parts, thread->part, &thread->hook);
	/* The hooks' reference keeps the pair. */
	cp_thread_unref(thread);
	life_drop_hook(pair);
}

/**
 * cp_life_thread_unseen - count a task that will run without being seen
 * @pair: the pair
 */
void cp_life_thread_unseen(struct cp_pair *pair)
{
	atomic_inc(&pair->parts.unseen);
}

/**
 * cp_life_drop - drop the file's reference on a pair
 * @pair: the pair; over
 */
void cp_life_drop(struct cp_pair *pair)
{
	cp_newcomers_close(&pair->parts.newcomers);
	cp_sysfs_remove(pair);
	cp_pair_unref(pair);
}

static void life_thread_exits(struct cp_thread *thread)
{
	cp_hook_task_exits(&thread->hook);
}

/*
 * The probe runs in atomic context, and ending a pair wakes others: leave it to
 * exit_task_work().
 */
static void life_master_exits(struct cp_pair *pair)
{
	if (test_and_set_bit(0, &pair->master.exiting))
		return;
	/* RCU still shows a pair that is unhooked: nothing keeps the module then. */
	if (!cp_try_pin())
		return;
	if (!refcount_inc_not_zero(&pair->refs)) {
		cp_unpin();
		return;
	}
	/* Cannot fail: exit_task_work() has not run yet. */
	task_work_add(current, &pair->master.exit_work, TWA_NONE);
}

/* Called for every exit on the machine, in atomic context. */
static void life_task_exits(void)
{
	cp_thread_for_current(life_thread_exits);
	cp_table_master_exits(life_master_exits);
}

/*
 * Gives memory for a thread that the current task creates. With PREEMPT_RT, memory cannot be
 * allocated here, nor freed.
 */
static struct cp_thread *life_use_spare(struct cp_thread *creator)
{
	struct cp_thread *spare = creator ? creator->spare : NULL;

	if (spare) {
		creator->spare = NULL;
		creator->created = true;
	}
	if (spare || IS_ENABLED(CONFIG_PREEMPT_RT))
		return spare;
	return cp_thread_alloc(GFP_ATOMIC);
}

/* The same for a child, if children are held. */
static struct cp_newcomer *life_use_spare_child(struct cp_thread *creator)
{
	struct cp_newcomer *spare = creator ? creator->spare_child : NULL;

	if (spare) {
		creator->spare_child = NULL;
		creator->created = true;
	}
	if (spare || IS_ENABLED(CONFIG_PREEMPT_RT))
		return spare;
	return cp_newcomer_alloc(GFP_ATOMIC);
}

/* The current task has created a process, which has not run yet. */
static void life_slave_creates_child(struct cp_pair *pair, struct task_struct *child)
{
	struct cp_newcomer *newcomer;

	newcomer = life_use_spare_child(cp_thread_find(pair, current));
	if (!newcomer) {
		cp_life_thread_unseen(pair);
		return;
	}
	/* RCU still shows a pair that is unhooked: nothing keeps the module then. */
	if (!cp_try_pin())
		goto out_free;
	if (!refcount_inc_not_zero(&pair->refs))
		goto out_unpin;
	newcomer->pair = pair;
	newcomer->nr = pid_nr_ns(task_pid(child), ns_of_pid(pair->master.pid));
	init_task_work(&newcomer->work, child_work);
	cp_newcomer_add(newcomer, child, pair->master.uid);
	cp_newcomers_expect(&pair->parts.newcomers);
	/* Cannot fail: the child does not exit before it has run. */
	task_work_add(child, &newcomer->work, TWA_RESUME);
	return;

out_unpin:
	cp_unpin();
out_free:
	kfree_rcu(newcomer, rcu);
}

/*
 * The current task has created a thread, which has not run yet: its hook sees its first
 * return to user mode. If the walk over the threads has found it before, it has one.
 */
static void life_slave_creates_thread(struct cp_pair *pair, struct task_struct *child)
{
	struct cp_thread *thread;

	/*
	 * Without a hook, the walk over the threads is still to come, or the pair ends.
	 * The walk must not find a thread here that this function then removes.
	 */
	if (!atomic_read(&pair->hooked) || cp_thread_find(pair, child))
		return;
	thread = life_use_spare(cp_thread_find(pair, current));
	if (!thread) {
		cp_life_thread_unseen(pair);
		return;
	}
	/* The walk has found it now, or the last hook is gone: the pair ends. */
	if (!cp_thread_add(thread, pair, child))
		goto out_free;
	if (!atomic_inc_not_zero(&pair->hooked))
		goto out_remove;
	cp_thread_init(thread);
	trace_thread_added(thread);
	/* Cannot fail: the child does not exit before it has run. */
	cp_hook_arm(&thread->hook);
	return;

out_remove:
	cp_thread_remove(thread);
out_free:
	kfree_rcu(thread, rcu);
}

static void life_slave_forks(struct cp_pair *pair, struct task_struct *child)
{
	if (child->flags & CP_PF_KERNEL || cp_pair_is_over(pair))
		return;
	if (same_thread_group(current, child))
		life_slave_creates_thread(pair, child);
	else if (cp_pair_holds_children(pair))
		life_slave_creates_child(pair, child);
}

/* Called for every new task on the machine, in atomic context. */
static void life_task_forks(struct task_struct *child)
{
	if (cp_freeze_forks(child))
		return;
	cp_table_slave_forks(life_slave_forks, child);
}

const struct cp_tasks_ops cp_life_tasks_ops = {
	.exits	= life_task_exits,
	.forks	= life_task_forks,
};
