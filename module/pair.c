// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pair: who is paired with whom, its references, its end.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/checkpoint.h>
#include <linux/checkpoint_netlink.h>
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "capture.h"
#include "compat.h"
#include "device.h"
#include "limits.h"
#include "listeners.h"
#include "netlink.h"
#include "pair.h"
#include "pin.h"
#include "region.h"
#include "sysfs.h"
#include "timens.h"
#include "trace.h"

/* The signal in a status as waitpid(2) gives it. */
#define WTERMSIG(status)	((status) & 0x7f)

/*
 * Both tables are keyed by the process: the signal_struct that its threads
 * share, pinned by the pair's reference on one of them. A pair is in both from
 * cp_pair_begin() until its hook lets go, over or not.
 */
static DEFINE_HASHTABLE(slaves, 10);
static DEFINE_HASHTABLE(masters, 10);
static DEFINE_SPINLOCK(pairs_lock);
static u64 last_number;			/* cp_pair.number; pairs_lock */

static unsigned long process_key(const struct task_struct *task)
{
	return (unsigned long)task->signal;
}

static bool is_slave(struct task_struct *task)
{
	struct cp_pair *pair;

	lockdep_assert_held(&pairs_lock);
	hash_for_each_possible(slaves, pair, by_slave, process_key(task))
		if (!pair->reason && same_thread_group(pair->hook.task, task))
			return true;
	return false;
}

static bool is_master(struct task_struct *task)
{
	struct cp_pair *pair;

	lockdep_assert_held(&pairs_lock);
	hash_for_each_possible(masters, pair, by_master, process_key(task))
		if (!pair->reason && same_thread_group(pair->master, task))
			return true;
	return false;
}

static int check_caller_locked(void)
{
	if (is_master(current))
		return -EALREADY;
	if (is_slave(current))
		return -EDEADLK;
	return 0;
}

/**
 * cp_pair_check_caller - may the caller become a master?
 *
 * Return: 0, -EALREADY when it is one, -EDEADLK when it is a slave.
 */
int cp_pair_check_caller(void)
{
	int ret;

	spin_lock(&pairs_lock);
	ret = check_caller_locked();
	spin_unlock(&pairs_lock);
	return ret;
}

/**
 * cp_pair_of - is a task's process in a pair, as either of the two?
 * @task: any thread of the process
 *
 * Return: true when it is.
 */
bool cp_pair_of(struct task_struct *task)
{
	bool paired;

	spin_lock(&pairs_lock);
	paired = is_slave(task) || is_master(task);
	spin_unlock(&pairs_lock);
	return paired;
}

/* The states were checked before; they may have changed since. */
static int insert(struct cp_pair *pair)
{
	int ret;

	spin_lock(&pairs_lock);
	ret = check_caller_locked();
	if (!ret && (is_slave(pair->hook.task) || is_master(pair->hook.task)))
		ret = -EBUSY;
	if (!ret) {
		pair->number = ++last_number;
		hash_add_rcu(slaves, &pair->by_slave,
			     process_key(pair->hook.task));
		hash_add_rcu(masters, &pair->by_master, pair->master_key);
	}
	spin_unlock(&pairs_lock);
	return ret;
}

static void remove(struct cp_pair *pair)
{
	spin_lock(&pairs_lock);
	hash_del_rcu(&pair->by_slave);
	hash_del_rcu(&pair->by_master);
	spin_unlock(&pairs_lock);
}

static void master_exit_work(struct callback_head *work);

/* The state of death has a slot of its own, behind the ring's. */
static unsigned int death_slot(const struct cp_pair *pair)
{
	return cp_ring_slots(pair->ring.policy, pair->ring.nr_slots);
}

/* What needs memory, and may fail. */
static int alloc_parts(struct cp_pair *pair, const struct cp_pair_setup *setup)
{
	struct cp_region_plan plan = {
		.limits = setup->limits,
		.last = setup->limits,
	};
	int ret = -ENOMEM;

	if (setup->prep->flags & CP_PREP_XSTATE) {
		pair->xstate_size = cp_xstate_size();
		pair->xstate = kvmalloc(pair->xstate_size, GFP_KERNEL_ACCOUNT);
		if (!pair->xstate)
			return -ENOMEM;
	}
	if (cp_ring_init(&pair->ring, setup->policy, setup->nr_slots,
			 &setup->file->wait, &pair->stats))
		goto err_xstate;
	plan.nr_slots = death_slot(pair);
	plan.xstate_size = pair->xstate_size;
	if (setup->prep->flags & CP_PREP_DEATH) {
		plan.nr_slots++;
		plan.last = setup->death_limits;
	}
	pair->region = cp_region_create(&plan, pair->account);
	if (IS_ERR(pair->region)) {
		ret = PTR_ERR(pair->region);
		goto err_ring;
	}
	return 0;

err_ring:
	cp_ring_destroy(&pair->ring);
err_xstate:
	kvfree(pair->xstate);
	return ret;
}

/**
 * cp_pair_create - make what a pair consists of
 * @setup: what is to be made; all of it checked
 *
 * Nobody else knows of the pair before cp_pair_begin().
 *
 * Return: the pair, with a reference for the caller, or an ERR_PTR(): -EUSERS,
 * -ENOSPC or -EDQUOT when it is too much for the user, -ENOMEM.
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
	ret = alloc_parts(pair, setup);
	if (ret)
		goto err_limits;
	refcount_set(&pair->refs, 1);
	pair->file = cp_file_get(setup->file);
	init_task_work(&pair->exit_work, master_exit_work);
	pair->mm = setup->mm;
	mmgrab(pair->mm);
	cp_hook_prepare(&pair->hook, get_task_struct(setup->slave));
	pair->slave_pid = get_task_pid(setup->slave, PIDTYPE_PID);
	pair->master = get_task_struct(current->group_leader);
	pair->master_key = process_key(pair->master);
	pair->master_pid = get_task_pid(current, PIDTYPE_TGID);
	pair->owner = current->files;
	pair->flags = setup->prep->flags;
	pair->wait_limit = setup->prep->wait_limit;
	pair->interval = setup->prep->interval;
	pair->every = setup->prep->every;
	pair->uid = current_euid();
	pair->made = ktime_get_ns();
	pair->time_offset = cp_timens_offset();
	pair->stats.last_syscall = -1;
	return pair;

err_limits:
	cp_limits_remove_pair(pair->account);
err_free:
	kfree(pair);
	return ERR_PTR(ret);
}

static void free_pair(struct cp_pair *pair)
{
	put_pid(pair->master_pid);
	put_task_struct(pair->master);
	put_pid(pair->slave_pid);
	put_task_struct(pair->hook.task);
	mmdrop(pair->mm);
	cp_file_put(pair->file);
	cp_region_put(pair->region);
	cp_ring_destroy(&pair->ring);
	kvfree(pair->xstate);
	cp_limits_remove_pair(pair->account);
	kfree_rcu(pair, rcu);
}

/**
 * cp_pair_get - take a reference, by one who has one
 * @pair: the pair
 */
void cp_pair_get(struct cp_pair *pair)
{
	refcount_inc(&pair->refs);
}

/**
 * cp_pair_put - drop a reference
 * @pair: the pair
 *
 * May sleep.
 */
void cp_pair_put(struct cp_pair *pair)
{
	if (refcount_dec_and_test(&pair->refs))
		free_pair(pair);
}

/* Nobody can find a pair, and end it, before its beginning was told. */
static bool is_told_of(const struct cp_pair *pair)
{
	/* Pairs with tell_made(). */
	return smp_load_acquire(&pair->told) && !cp_pair_is_over(pair);
}

/**
 * cp_pair_find - the pair of a slave
 * @nr: the slave's number in the caller's pid namespace
 *
 * Return: its live pair, with a reference for the caller, or NULL.
 */
struct cp_pair *cp_pair_find(pid_t nr)
{
	struct cp_pair *pair, *found = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_vpid(nr), PIDTYPE_PID);
	if (!task)
		goto out;
	hash_for_each_possible_rcu(slaves, pair, by_slave, process_key(task))
		if (pair->hook.task == task && is_told_of(pair) &&
		    refcount_inc_not_zero(&pair->refs)) {
			found = pair;
			break;
		}

out:
	rcu_read_unlock();
	return found;
}

/**
 * cp_pair_next - the next live pair of a walk
 * @cursor: the place; stays at the pair until cp_pair_passed()
 *
 * Each part of the table has its newest pair first, so that the numbers tell
 * which ones have been passed: a pair that lives all the while is met once,
 * whatever comes and goes around it.
 *
 * Return: the pair, with a reference for the caller; NULL at the end.
 */
struct cp_pair *cp_pair_next(struct cp_pair_cursor *cursor)
{
	struct cp_pair *pair;

	rcu_read_lock();
	for (; cursor->bucket < HASH_SIZE(slaves); cursor->bucket++) {
		hlist_for_each_entry_rcu(pair, &slaves[cursor->bucket],
					 by_slave)
			if ((!cursor->passed || pair->number < cursor->passed) &&
			    (cursor->all || is_told_of(pair)) &&
			    refcount_inc_not_zero(&pair->refs))
				goto out;
		cursor->passed = 0;
	}
	pair = NULL;

out:
	rcu_read_unlock();
	return pair;
}

/**
 * cp_pair_passed - done with the pair that cp_pair_next() gave
 * @cursor: the place
 * @pair: the pair
 */
void cp_pair_passed(struct cp_pair_cursor *cursor, const struct cp_pair *pair)
{
	cursor->passed = pair->number;
}

/**
 * cp_pair_drop - the file lets go of its pair
 * @pair: the pair; over
 */
void cp_pair_drop(struct cp_pair *pair)
{
	cp_sysfs_remove(pair);
	cp_pair_put(pair);
}

static void tell_made(struct cp_pair *pair)
{
	this_cpu_inc(cp_totals.pairs_made);
	trace_pair_made(pair);
	cp_listeners_attend(pair);
	cp_netlink_pair_made(pair);
	pr_debug("pair made: master %d, slave %d\n",
		 pid_nr(pair->master_pid), pid_nr(pair->slave_pid));
	/* Pairs with is_told_of(): who sees it, sees all of the pair. */
	smp_store_release(&pair->told, true);
}

/**
 * cp_pair_begin - make the caller the master of a task
 * @pair: from cp_pair_create()
 *
 * Return: 0; -EALREADY, -EDEADLK, -EBUSY when somebody was faster, -ESRCH when
 * the slave is exiting, -ENOMEM. On failure the processes are as before, and
 * the caller drops its reference.
 */
int cp_pair_begin(struct cp_pair *pair)
{
	int ret = insert(pair);

	if (ret)
		return ret;
	ret = cp_sysfs_add(pair);
	if (ret)
		goto err_remove;

	/* Before the hook: what it does is told of after this. */
	tell_made(pair);
	cp_pair_get(pair);
	cp_pin();
	ret = cp_hook_arm(&pair->hook);
	if (ret)
		goto err_disarm;
	return 0;

err_disarm:
	cp_pair_end(pair, CP_END_DETACHED, 0);
	cp_unpin();
	cp_pair_put(pair);
	cp_sysfs_remove(pair);
err_remove:
	remove(pair);
	return ret;
}

/**
 * cp_pair_unhooked - the hook has let go of the slave
 * @pair: the pair
 *
 * Called by the hook's work, as the last thing it does.
 */
void cp_pair_unhooked(struct cp_pair *pair)
{
	trace_pair_unhooked(pair);
	remove(pair);
	cp_pair_put(pair);
	cp_unpin();
}

/**
 * cp_pair_is_master - is the caller's process the pair's master?
 * @pair: the pair
 *
 * Return: true when it is.
 */
bool cp_pair_is_master(const struct cp_pair *pair)
{
	return same_thread_group(current, pair->master);
}

/**
 * cp_pair_is_over - is the pair over?
 * @pair: the pair
 *
 * Return: true when it is; it stays so.
 */
bool cp_pair_is_over(const struct cp_pair *pair)
{
	return READ_ONCE(pair->reason) != CP_END_NONE;
}

/**
 * cp_pair_reason_name - a reason in words
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
	};

	return names[reason];
}

static void tell_end(struct cp_pair *pair)
{
	this_cpu_inc(cp_totals.pairs_over);
	trace_pair_ended(pair);
	cp_netlink_pair_ended(pair);
	pr_debug("pair over: master %d, slave %d: %s\n",
		 pid_nr(pair->master_pid), pid_nr(pair->slave_pid),
		 cp_pair_reason_name(pair->reason));
}

/**
 * cp_pair_end - end a pair
 * @pair: the pair
 * @reason: CP_END_*
 * @status: with CP_END_EXITED, as waitpid(2) gives it
 *
 * The first one to end a pair decides the reason.
 */
void cp_pair_end(struct cp_pair *pair, u32 reason, s32 status)
{
	bool first;

	spin_lock(&pairs_lock);
	first = !pair->reason;
	if (first) {
		pair->status = status;
		WRITE_ONCE(pair->reason, reason);
	}
	spin_unlock(&pairs_lock);
	cp_hook_release(&pair->hook);
	cp_ring_close(&pair->ring);
	if (first)
		tell_end(pair);
}

/* The slave was held up since @begun, and handed nothing over. */
static u64 count_vain_hold(struct cp_pair *pair, u64 begun)
{
	u64 held = ktime_get_ns() - begun;

	cp_stats_held(&pair->stats, held);
	return held;
}

static void count_miss(struct cp_pair *pair, u64 held)
{
	this_cpu_inc(cp_totals.missed);
	trace_miss(pair, held);
}

/* The slave got no slot: the pair is over, a signal came, or time was up. */
static void count_vain_wait(struct cp_pair *pair, const struct cp_claim *claim,
			    int ret)
{
	u64 held;

	/* It was over when the slave came. */
	if (!claim->begun)
		return;
	held = count_vain_hold(pair, claim->begun);
	if (ret == -ETIME)
		count_miss(pair, held);
}

static void count_checkpoint(struct cp_pair *pair,
			     const struct cp_checkpoint *checkpoint,
			     u64 waited, u64 copied)
{
	u64 bytes = cp_checkpoint_bytes(checkpoint);

	WRITE_ONCE(pair->stats.bytes, pair->stats.bytes + bytes);
	if (checkpoint->entry == CP_ENTRY_SYSCALL)
		WRITE_ONCE(pair->stats.last_syscall, checkpoint->syscall);
	WRITE_ONCE(pair->stats.last_flags, checkpoint->flags);
	this_cpu_inc(cp_totals.checkpoints);
	this_cpu_add(cp_totals.bytes, bytes);
	trace_capture(pair, checkpoint, bytes, waited, copied);
}

/* The master compares the time of a checkpoint with its own clock. */
static void write_header(struct cp_pair *pair, const struct cp_slot *slot,
			 struct pt_regs *regs, struct cp_cause cause)
{
	cp_capture_header(slot->header, regs, cause);
	slot->header->time += pair->time_offset;
}

/* That time, by the machine's clock. */
static u64 captured_at(const struct cp_pair *pair,
		       const struct cp_checkpoint *checkpoint)
{
	return checkpoint->time - pair->time_offset;
}

/* Gives whether it could have been done late. */
static bool fill_slot(struct cp_pair *pair, const struct cp_slot *slot,
		      struct pt_regs *regs, struct cp_cause cause, bool dying)
{
	bool light;

	cp_region_unpublish(slot);
	write_header(pair, slot, regs, cause);
	light = cp_capture_stack(pair->region, slot, regs->sp, dying);
	if (pair->xstate)
		cp_capture_xstate(pair->region, slot, pair->xstate,
				  pair->xstate_size);
	return light && !pair->xstate;
}

/**
 * cp_pair_is_due - is it time for a checkpoint?
 * @pair: the pair, whose slave is the caller
 *
 * Return: false when the master did not want one as soon as this.
 */
bool cp_pair_is_due(const struct cp_pair *pair)
{
	if (pair->every > 1 && pair->returns % pair->every)
		return false;
	return !pair->interval || ktime_get_ns() >= pair->next_time;
}

/* Counts the checkpoint in @slot, and says when the next one is due. */
static void account_capture(struct cp_pair *pair, const struct cp_slot *slot,
			    const struct cp_claim *claim)
{
	u64 begun = captured_at(pair, slot->header);
	/* Reading the clock costs more than all other figures together. */
	u64 waited = claim->begun ? begun - claim->begun : 0;
	u64 copied = ktime_get_ns() - begun;

	count_checkpoint(pair, slot->header, waited, copied);
	cp_stats_held(&pair->stats, waited + copied);
	if (check_add_overflow(begun, pair->interval, &pair->next_time))
		pair->next_time = U64_MAX;
}

/**
 * cp_pair_checkpoint - the slave hands over a checkpoint
 * @pair: the pair, whose slave is the caller
 * @regs: the registers with which it enters user mode
 * @cause: what brought it into the kernel
 *
 * Return: true when this return to user mode has been dealt with, be it
 * because the pair is over or because the slave's wait ran out; false when a
 * signal has to be acted on first.
 */
bool cp_pair_checkpoint(struct cp_pair *pair, struct pt_regs *regs,
			struct cp_cause cause)
{
	struct cp_claim claim;
	struct cp_slot slot;
	bool light = false;
	u64 begun;
	int ret;

	ret = cp_ring_claim(&pair->ring, pair->wait_limit, &claim);
	if (ret) {
		count_vain_wait(pair, &claim, ret);
		return ret != -ERESTARTSYS;
	}

	cp_region_slot(pair->region, claim.slot, &slot);
	begun = claim.begun;
	/* What is there stays when nothing can take its place. */
	if (!signal_pending(current)) {
		light = fill_slot(pair, &slot, regs, cause, false);
		begun = begun ?: captured_at(pair, slot.header);
	}
	if (signal_pending(current)) {
		/* A handler may be next: then these are not the registers. */
		if (begun)
			count_vain_hold(pair, begun);
		cp_ring_abandon(&pair->ring);
		return false;
	}
	cp_region_publish(pair->region, &slot, claim.seq);
	account_capture(pair, &slot, &claim);
	cp_netlink_checkpoint(pair, slot.header);
	pair->light = light;
	pair->captured = true;
	cp_ring_publish(&pair->ring);
	return true;
}

static bool may_be_late(const struct cp_pair *pair)
{
	if (!CP_LATE_WORKS || !pair->light ||
	    pair->ring.policy != CP_POLICY_OVERWRITE ||
	    cp_listeners_want(pair, CP_NL_EVENT_CHECKPOINTS))
		return false;
	/*
	 * Not while somebody has to be woken: with interrupts off that is put off
	 * to the next interrupt. The return from that interrupt is captured and
	 * would wake the master again, so a slave that shares the master's CPU
	 * would never reach user mode.
	 */
	return !cp_ring_would_wake(&pair->ring);
}

/**
 * cp_pair_prefers_late - how to take the next checkpoint
 * @pair: the pair, whose slave is the caller
 *
 * Return: true when cp_pair_checkpoint_late() is likely to do, or is the
 * cheaper way to find out that none is due.
 */
bool cp_pair_prefers_late(const struct cp_pair *pair)
{
	return pair->interval || pair->every > 1 || may_be_late(pair);
}

/* Makes the slot that the slave has written readable, under its next number. */
static void publish_spare(struct cp_ring *ring)
{
	struct cp_pair *pair = container_of(ring, struct cp_pair, ring);
	struct cp_slot slot;

	cp_region_slot(pair->region, ring->spare, &slot);
	cp_region_publish(pair->region, &slot, cp_ring_next_seq(ring));
}

/**
 * cp_pair_checkpoint_late - hand over a checkpoint in the last moment
 * @pair: the pair, whose slave is the caller
 * @regs: the registers with which it enters user mode
 * @cause: what brought it into the kernel
 *
 * Called with interrupts off: waits for nothing, allocates nothing.
 *
 * Return: false when there is no other way: cp_pair_checkpoint() has to do it.
 */
bool cp_pair_checkpoint_late(struct cp_pair *pair, struct pt_regs *regs,
			     struct cp_cause cause)
{
	struct cp_claim claim;
	struct cp_slot slot;

	if (!may_be_late(pair))
		return false;
	cp_ring_claim_late(&pair->ring, &claim);

	cp_region_slot(pair->region, claim.slot, &slot);
	cp_region_unpublish(&slot);
	write_header(pair, &slot, regs, cause);
	if (!cp_capture_stack_late(pair->region, &slot, regs->sp) ||
	    !cp_ring_publish_late(&pair->ring, publish_spare))
		return false;
	account_capture(pair, &slot, &claim);
	return true;
}

/**
 * cp_pair_foresee_death - the slave may be about to die
 * @pair: the pair, whose slave is the caller
 * @regs: its registers
 * @cause: what brought it into the kernel
 *
 * Saves its state, if signals are to be acted on, and if the master wants to
 * know.
 */
void cp_pair_foresee_death(struct cp_pair *pair, struct pt_regs *regs,
			   struct cp_cause cause)
{
	struct cp_slot slot;

	if (!(pair->flags & CP_PREP_DEATH) ||
	    !cp_death_foreseen(&pair->death, ns_of_pid(pair->master_pid)))
		return;
	cp_region_slot(pair->region, death_slot(pair), &slot);
	fill_slot(pair, &slot, regs, cause, true);
	count_vain_hold(pair, captured_at(pair, slot.header));
	pair->dying = true;
}

/* Nothing was foreseen, and now there is no memory any more. */
static void save_remains(struct cp_pair *pair, const struct cp_slot *slot,
			 struct pt_regs *regs)
{
	/* Killed on its way to user mode, after a checkpoint: as it is there. */
	if (pair->captured) {
		cp_region_copy_newest(pair->region, slot);
		return;
	}
	write_header(pair, slot, regs,
		     (struct cp_cause){ .entry = CP_ENTRY_INTERRUPT });
	cp_capture_no_stack(slot, regs->sp);
	if (pair->xstate)
		cp_capture_xstate(pair->region, slot, pair->xstate,
				  pair->xstate_size);
}

/* The slave, the caller, has been killed: hand over its last state. */
static void leave_death(struct cp_pair *pair, int signal)
{
	struct cp_checkpoint *checkpoint;
	struct cp_slot slot;
	bool elsewhere;

	cp_region_slot(pair->region, death_slot(pair), &slot);
	checkpoint = slot.header;
	if (!pair->dying)
		save_remains(pair, &slot, current_pt_regs());
	checkpoint->flags |= CP_CHECKPOINT_DEATH;
	checkpoint->signal = signal;
	if (pair->dying && pair->death.signal == signal) {
		checkpoint->signal_code = pair->death.code;
		checkpoint->signal_addr = pair->death.addr;
		checkpoint->signal_thread = pair->death.thread;
		elsewhere = pair->death.elsewhere;
	} else {
		elsewhere = cp_death_was_elsewhere(signal);
	}
	if (elsewhere)
		checkpoint->flags |= CP_CHECKPOINT_DEATH_ELSEWHERE;
	cp_region_publish(pair->region, &slot, cp_ring_next_seq(&pair->ring));
	/* Its master may have ended the pair meanwhile: nothing comes after that. */
	if (!cp_ring_leave_last(&pair->ring, death_slot(pair)))
		return;
	count_checkpoint(pair, checkpoint, 0, 0);
	cp_netlink_checkpoint(pair, checkpoint);
}

/**
 * cp_pair_slave_gone - end a pair whose slave, the caller, cannot go on as it
 * @pair: the pair
 *
 * Does nothing when the slave is still the program that it was.
 */
void cp_pair_slave_gone(struct cp_pair *pair)
{
	bool exiting = current->flags & PF_EXITING;
	int code = current->exit_code;

	if ((!exiting && current->mm == pair->mm) || cp_pair_is_over(pair))
		return;
	/* Another thread's exec kills all others, and takes over the process. */
	if (!exiting || READ_ONCE(current->signal->group_exec_task)) {
		cp_pair_end(pair, CP_END_EXEC, 0);
		return;
	}
	if (pair->flags & CP_PREP_DEATH && WTERMSIG(code))
		leave_death(pair, WTERMSIG(code));
	cp_pair_end(pair, CP_END_EXITED, code);
}

static void master_exit_work(struct callback_head *work)
{
	struct cp_pair *pair = container_of(work, struct cp_pair, exit_work);

	cp_pair_end(pair, CP_END_DETACHED, 0);
	cp_pair_put(pair);
	cp_unpin();
}

/* Here nothing may sleep, and ending a pair wakes others: do it in a moment. */
static void master_exits(struct cp_pair *pair)
{
	if (test_and_set_bit(0, &pair->exiting))
		return;
	/* RCU still shows a pair that is unhooked: nothing keeps the module then. */
	if (!cp_try_pin())
		return;
	if (!refcount_inc_not_zero(&pair->refs)) {
		cp_unpin();
		return;
	}
	/* Cannot fail: exit_task_work() has not run yet. */
	task_work_add(current, &pair->exit_work, TWA_NONE);
}

/**
 * cp_pair_task_exits - the current task is exiting
 * @slave_exits: called for each pair whose slave it is
 *
 * Runs for every exit on the machine, in atomic context.
 */
void cp_pair_task_exits(cp_pair_fn slave_exits)
{
	unsigned long key = process_key(current);
	struct cp_pair *pair;

	rcu_read_lock();
	hash_for_each_possible_rcu(slaves, pair, by_slave, key)
		if (pair->hook.task == current)
			slave_exits(pair);
	if (!atomic_read(&current->signal->live))
		hash_for_each_possible_rcu(masters, pair, by_master, key)
			/* Its reference on the master may be gone already. */
			if (pair->master_key == key)
				master_exits(pair);
	rcu_read_unlock();
}
