// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that exit before their process is put back: leavers.h.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/refcount.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/thread_info.h>
#include <linux/wait.h>
#include <asm/segment.h>
#include <asm/unistd.h>

#include "call.h"
#include "errand.h"
#include "hook.h"
#include "kept.h"
#include "leavers.h"
#include "pair.h"

/**
 * struct cp_leaver - a thread that exits
 * @call:	what it executes
 * @errand:	its errand, which is its last
 * @has_begun:	it has been sent to user mode
 * @all:	all of them
 */
struct cp_leaver {
	struct cp_call call;
	struct cp_errand errand;
	bool has_begun;
	struct cp_leavers *all;
};

/**
 * struct cp_leavers - threads that exit
 * @refs:	see leavers.h
 * @kept:	the snapshot, which does not have them
 * @nr:		their number
 * @nr_sent:	number of them that have been sent
 * @nr_left:	number of them that have not exited
 * @has_failed:	one has returned from exit(2)
 * @wait:	where their sender waits for the last of them
 * @at:		the leavers
 */
struct cp_leavers {
	refcount_t refs;
	const struct cp_kept *kept;
	unsigned int nr;
	unsigned int nr_sent;
	atomic_t nr_left;
	bool has_failed;
	wait_queue_head_t wait;
	struct cp_leaver at[];
};

/**
 * cp_leavers_unref - drop a reference
 * @leavers: the leavers, or NULL
 */
void cp_leavers_unref(struct cp_leavers *leavers)
{
	if (leavers && refcount_dec_and_test(&leavers->refs))
		kvfree(leavers);
}

static bool leaver_step(struct cp_call *call, struct cp_pair *pair,
			struct pt_regs *regs)
{
	struct cp_leaver *leaver = container_of(call, struct cp_leaver, call);
	long result;

	if (!leaver->has_begun) {
		leaver->has_begun = true;
		cp_errand_begin(&leaver->errand, regs);
		cp_errand_call(&leaver->errand, regs, __NR_exit, 0, 0, 0);
		return true;
	}
	if (!cp_errand_returned(&leaver->errand, regs, &result))
		return true;
	/* A debugger has set other registers. */
	cp_errand_end(&leaver->errand, regs);
	return false;
}

static void leaver_over(struct cp_call *call, struct cp_pair *pair, int result)
{
	struct cp_leaver *leaver = container_of(call, struct cp_leaver, call);
	struct cp_leavers *all = leaver->all;

	if (!result)
		WRITE_ONCE(all->has_failed, true);
	if (atomic_dec_and_test(&all->nr_left))
		wake_up(&all->wait);
	cp_leavers_unref(all);
}

static const struct cp_call_ops leaver_ops = {
	.step	= leaver_step,
	.over	= leaver_over,
};

/* What the walk over the threads finds. */
struct count {
	const struct cp_kept *kept;
	unsigned int nr;
};

/* Under cp_parts.lock. */
static int count_leaver(struct cp_part *part, void *data)
{
	struct task_struct *task = part->hook->task;
	struct count *count = data;

	if (cp_kept_find(count->kept, task))
		return 0;
	if (test_task_syscall_work(task, SECCOMP) ||
	    test_task_syscall_work(task, SYSCALL_USER_DISPATCH))
		return -EACCES;
	if (task_pt_regs(task)->cs != __USER_CS)
		return -EOPNOTSUPP;
	count->nr++;
	return 0;
}

/**
 * cp_leavers_find - find the threads that a snapshot does not have
 * @leavers: set to them, with a reference for the caller; NULL if there are none
 * @pair: the pair; the current task is a thread of its slave, and all others wait at the
 *	gate
 * @kept: the snapshot
 * @regs: the registers of the current task
 *
 * Changes nothing.
 *
 * Return: 0; -EACCES when a seccomp filter, or syscall user dispatch, is active in one;
 * -EOPNOTSUPP when one executes 32-bit code, or there is no instruction for a system call;
 * -ENOMEM.
 */
int cp_leavers_find(struct cp_leavers **leavers, struct cp_pair *pair,
		    const struct cp_kept *kept, const struct pt_regs *regs)
{
	struct count count = { .kept = kept };
	struct cp_leavers *all;
	unsigned int i;
	int ret;

	*leavers = NULL;
	ret = cp_parts_each(&pair->parts, count_leaver, &count);
	if (ret || !count.nr)
		return ret;
	all = kvzalloc(struct_size(all, at, count.nr), GFP_KERNEL_ACCOUNT);
	if (!all)
		return -ENOMEM;
	refcount_set(&all->refs, 1);
	atomic_set(&all->nr_left, count.nr);
	init_waitqueue_head(&all->wait);
	all->kept = kept;
	all->nr = count.nr;
	/* Threads of one process have the same instructions. */
	ret = cp_errand_prepare(&all->at[0].errand, regs);
	if (ret) {
		cp_leavers_unref(all);
		return ret;
	}
	for (i = 0; i < all->nr; i++) {
		cp_call_init(&all->at[i].call, &leaver_ops);
		all->at[i].errand.insn = all->at[0].errand.insn;
		all->at[i].all = all;
	}
	*leavers = all;
	return 0;
}

/* Under cp_parts.lock. */
static int send_leaver(struct cp_part *part, void *data)
{
	struct cp_leavers *all = data;

	if (cp_kept_find(all->kept, part->hook->task))
		return 0;
	if (WARN_ON_ONCE(all->nr_sent == all->nr))
		return -EOVERFLOW;
	refcount_inc(&all->refs);
	cp_part_call(part, &all->at[all->nr_sent++].call);
	return 0;
}

/**
 * cp_leavers_send - have the threads exit, and wait for that
 * @leavers: from cp_leavers_find()
 * @pair: the pair
 *
 * The caller can be frozen meanwhile.
 *
 * Return: 0; -EINTR when the caller is killed; -ENOTRECOVERABLE when a thread has not
 * exited.
 */
int cp_leavers_send(struct cp_leavers *leavers, struct cp_pair *pair)
{
	int ret;

	ret = cp_parts_each(&pair->parts, send_leaver, leavers);
	if (ret)
		return ret;
	/* A thread that was killed meanwhile has not been sent. */
	if (leavers->nr_sent != leavers->nr)
		return -EINTR;
	ret = ___wait_event(leavers->wait, !atomic_read(&leavers->nr_left),
			    (TASK_KILLABLE | TASK_NOLOAD | TASK_FREEZABLE),
			    0, 0, schedule());
	if (ret)
		return -EINTR;
	return READ_ONCE(leavers->has_failed) ? -ENOTRECOVERABLE : 0;
}
