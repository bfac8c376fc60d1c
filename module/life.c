// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a pair: how it begins and ends, and who is notified.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/checkpoint.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/task_work.h>

#include "events.h"
#include "life.h"
#include "listeners.h"
#include "pair.h"
#include "pin.h"
#include "sysfs.h"
#include "table.h"
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

/**
 * cp_life_begin - make the caller the master of a task
 * @pair: from cp_pair_create()
 *
 * Return: 0; -EALREADY, -EDEADLK or -EBUSY when another pair was made meanwhile,
 * -ESRCH when the slave is exiting, -ENOMEM. On failure both processes are as
 * before, and the caller drops its reference.
 */
int cp_life_begin(struct cp_pair *pair)
{
	int ret;

	init_task_work(&pair->master.exit_work, master_exit_work);
	ret = cp_table_insert(pair);
	if (ret)
		return ret;
	ret = cp_sysfs_add(pair);
	if (ret)
		goto err_remove;

	/* Before the hook: events of the slave come after this one. */
	life_announce(pair);
	cp_pair_ref(pair);
	cp_pin();
	ret = cp_hook_arm(&pair->slave.hook);
	if (ret)
		goto err_end;
	return 0;

err_end:
	cp_life_end(pair, CP_END_DETACHED, 0);
	cp_unpin();
	cp_pair_unref(pair);
	cp_sysfs_remove(pair);
err_remove:
	cp_table_remove(pair);
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
 * The first caller decides the reason. May sleep.
 */
void cp_life_end(struct cp_pair *pair, u32 reason, s32 status)
{
	bool first = cp_table_close(pair, reason, status);

	cp_hook_release(&pair->slave.hook);
	cp_ring_close(&pair->ring);
	if (first)
		life_notify_end(pair);
}

/**
 * cp_life_unhooked - the hook has been removed from the slave
 * @pair: the pair
 *
 * The last thing that the hook's work does.
 */
void cp_life_unhooked(struct cp_pair *pair)
{
	trace_pair_unhooked(pair);
	cp_table_remove(pair);
	cp_pair_unref(pair);
	cp_unpin();
}

/**
 * cp_life_drop - the file drops its pair
 * @pair: the pair; over
 */
void cp_life_drop(struct cp_pair *pair)
{
	cp_sysfs_remove(pair);
	cp_pair_unref(pair);
}

static void life_slave_exits(struct cp_pair *pair)
{
	cp_hook_task_exits(&pair->slave.hook);
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

/**
 * cp_life_task_exits - the current task is exiting
 *
 * Called for every exit on the machine while a hook is armed, in atomic context.
 */
void cp_life_task_exits(void)
{
	cp_table_task_exits(life_slave_exits, life_master_exits);
}
