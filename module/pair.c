// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pair as an object: its parts and its references.
 */
#include <linux/checkpoint.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "capture.h"
#include "file.h"
#include "limits.h"
#include "pair.h"
#include "timens.h"

/* Allocates the parts, as the master has asked for them. */
static int pair_alloc_parts(struct cp_pair *pair,
			    const struct cp_pair_setup *setup)
{
	struct cp_parts_plan plan = {
		.single = !(setup->prep->flags & CP_PREP_PROCESS),
		.policy = setup->policy,
		.nr_slots = setup->nr_slots,
		.wait = &setup->file->wait,
		.gate = &pair->gate,
		.region.nr_slots = cp_ring_slots(setup->policy, setup->nr_slots),
		.region.limits = setup->limits,
		.region.last = setup->limits,
	};

	/* A process has rings whose slots no thread will ever use. */
	plan.region.nr_headers = plan.single ? plan.region.nr_slots : 1;
	if (setup->prep->flags & CP_PREP_XSTATE)
		plan.region.xstate_size = cp_xstate_size();
	if (setup->prep->flags & CP_PREP_DEATH) {
		plan.region.nr_slots++;
		plan.region.last = setup->death_limits;
	}
	return cp_parts_init(&pair->parts, &plan, setup->max_threads,
			     setup->nr_threads, pair->account);
}

static void pair_init_slave(struct cp_slave *slave,
			    const struct cp_pair_setup *setup)
{
	bool process = setup->prep->flags & CP_PREP_PROCESS;

	slave->mm = setup->mm;
	mmgrab(slave->mm);
	slave->task = get_task_struct(setup->slave);
	slave->pid = get_task_pid(setup->slave,
				  process ? PIDTYPE_TGID : PIDTYPE_PID);
}

static void pair_init_master(struct cp_master *master)
{
	master->task = get_task_struct(current->group_leader);
	master->pid = get_task_pid(current, PIDTYPE_TGID);
	master->owner = current->files;
	master->uid = current_euid();
	master->time_offset = cp_timens_offset();
}

/**
 * cp_pair_create - make what a pair consists of
 * @setup: what the pair is made of; all values have been checked
 *
 * The caller is the master. Nobody else knows of the pair before
 * cp_life_begin().
 *
 * Return: the pair, with a reference for the caller, or an ERR_PTR(): -EUSERS,
 * -ENOSPC or -EDQUOT when a limit of the user is reached, -ENOMEM, -EOVERFLOW when the
 * slave has too many threads.
 */
struct cp_pair *cp_pair_create(const struct cp_pair_setup *setup)
{
	struct cp_pair *pair = kzalloc(sizeof(*pair), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!pair)
		return ERR_PTR(-ENOMEM);
	ret = cp_limits_add_pair(&pair->account);
	if (ret)
		goto err_free;
	ret = pair_alloc_parts(pair, setup);
	if (ret)
		goto err_limits;
	refcount_set(&pair->refs, 1);
	pair->file = cp_file_get(setup->file);
	cp_gate_init(&pair->gate);
	pair->hook_ops = setup->hook_ops;
	pair_init_slave(&pair->slave, setup);
	pair_init_master(&pair->master);
	pair->ask.flags = setup->prep->flags;
	pair->ask.wait_limit = setup->prep->wait_limit;
	pair->ask.interval = setup->prep->interval;
	pair->ask.every = setup->prep->every;
	pair->ask.child_limit = setup->prep->child_limit ?:
				CP_CHILD_LIMIT_DEFAULT;
	pair->made = ktime_get_ns();
	return pair;

err_limits:
	cp_limits_remove_pair(pair->account);
err_free:
	kfree(pair);
	return ERR_PTR(ret);
}

static void pair_free(struct cp_pair *pair)
{
	put_pid(pair->master.pid);
	put_task_struct(pair->master.task);
	put_pid(pair->slave.pid);
	put_task_struct(pair->slave.task);
	mmdrop(pair->slave.mm);
	cp_gate_destroy(&pair->gate);
	cp_parts_destroy(&pair->parts);
	cp_file_put(pair->file);
	cp_limits_remove_pair(pair->account);
	kfree_rcu(pair, rcu);
}

/**
 * cp_pair_ref - take a reference
 * @pair: the pair; the caller holds a reference already
 */
void cp_pair_ref(struct cp_pair *pair)
{
	refcount_inc(&pair->refs);
}

/**
 * cp_pair_unref - drop a reference
 * @pair: the pair
 *
 * May sleep.
 */
void cp_pair_unref(struct cp_pair *pair)
{
	if (refcount_dec_and_test(&pair->refs))
		pair_free(pair);
}

/**
 * cp_pair_is_master - is the caller's process the pair's master?
 * @pair: the pair
 *
 * Return: true when it is.
 */
bool cp_pair_is_master(const struct cp_pair *pair)
{
	return same_thread_group(current, pair->master.task);
}

/**
 * cp_pair_reason_name - the word for a reason
 * @reason: CP_END_*
 *
 * Return: a word.
 */
const char *cp_pair_reason_name(u32 reason)
{
	static const char * const names[] = {
		[CP_END_NONE]		= "none",
		[CP_END_EXITED]		= "exited",
		[CP_END_EXEC]		= "exec",
		[CP_END_DETACHED]	= "detached",
		[CP_END_PUT_BACK]	= "put-back",
	};

	return names[reason];
}
