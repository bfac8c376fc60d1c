// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a process back to a snapshot: putback.h.
 */
#include <linux/checkpoint.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "call.h"
#include "compat.h"
#include "hold.h"
#include "leavers.h"
#include "life.h"
#include "obstacles.h"
#include "refill.h"
#include "pair.h"
#include "pin.h"
#include "putback.h"
#include "snapshot.h"
#include "state.h"
#include "thread.h"
#include "wait.h"

/* In microseconds: a thread that has arrived leaves its CPU within this time. */
#define LOOK_AGAIN_MIN	10
#define LOOK_AGAIN_MAX	50

/**
 * struct cp_putback - one put back
 * @refs:	see putback.h
 * @call:	what the executor executes
 * @pair:	the pair
 * @file:	keeps @shot
 * @shot:	the snapshot
 * @then:	its memory
 * @steps:	the executor's
 * @pages:	the executor's
 * @leavers:	the executor's
 * @has_changed: the first change has been made
 * @work:	sets registers
 * @result:	0, or what made it fail
 * @nr_pages:	with @done: number of pages that have been restored
 * @done:	the gate is unbolted
 * @wait:	where the master waits for @done
 */
struct cp_putback {
	refcount_t refs;
	struct cp_call call;
	struct cp_pair *pair;
	struct file *file;
	struct cp_shot *shot;
	struct mm_struct *then;
	struct cp_steps steps;
	struct cp_refill pages;
	struct cp_leavers *leavers;
	bool has_changed;
	struct work_struct work;
	int result;
	u64 nr_pages;
	bool done;
	wait_queue_head_t wait;
};

/* May sleep. */
static void putback_unref(struct cp_putback *putback)
{
	if (!refcount_dec_and_test(&putback->refs))
		return;
	mmput(putback->then);
	fput(putback->file);
	cp_pair_unref(putback->pair);
	kfree(putback);
}

static void putback_forget(struct cp_putback *putback)
{
	cp_refill_free(&putback->pages);
	cp_steps_free(&putback->steps);
}

/* Wakes the master. Gives up the reference. */
static void putback_finish(struct cp_putback *putback)
{
	putback->nr_pages = putback->pages.nr;
	putback_forget(putback);
	cp_leavers_unref(putback->leavers);
	cp_call_end(&putback->call);
	cp_gate_unbolt(&putback->pair->gate);
	/* Pairs with putback_is_done(). */
	smp_store_release(&putback->done, true);
	wake_up(&putback->wait);
	putback_unref(putback);
}

/* The slave is neither what it was nor what it was to be: it must not run. */
static void putback_kill(struct cp_putback *putback, struct task_struct *task)
{
	send_sig(SIGKILL, task, 1);
	cp_life_end(putback->pair, CP_END_PUT_BACK, SIGKILL);
	putback->result = -ENOTRECOVERABLE;
}

static int find_pages(struct cp_putback *putback, const struct cp_step *step)
{
	struct cp_refill *pages = &putback->pages;
	size_t first = pages->nr;

	switch (step->kind) {
	case CP_STEP_KEEP:
		return cp_refill_find(pages, putback->then, step->start, step->end) ?:
		       cp_refill_reserve(pages, first);
	case CP_STEP_MAP:
		/* Reserved when they are mapped. */
		return cp_refill_add_all(pages, putback->then, step->start, step->end);
	default:
		return 0;
	}
}

/* Executor: finds what differs. Changes nothing. */
static int putback_find(struct cp_putback *putback)
{
	unsigned int i;
	int ret;

	ret = cp_steps_find(&putback->steps, &putback->shot->kept.mappings, current->mm);
	for (i = 0; !ret && i < putback->steps.nr; i++)
		ret = find_pages(putback, &putback->steps.at[i]);
	if (!ret && cp_mm_is_unstable(putback->then))
		ret = -ENODATA;
	return ret;
}

/* Executor: the memory, after which only registers are missing. */
static int putback_memory(struct cp_putback *putback)
{
	const struct cp_kept *kept = &putback->shot->kept;
	int ret;

	ret = cp_steps_take(&putback->steps, &kept->mappings) ?:
	      cp_refill_reserve(&putback->pages, 0);
	if (ret)
		return ret;
	cp_refill_restore(&putback->pages);
	cp_kept_set_handlers(kept);
	return 0;
}

/* Executor: has the leavers exit, which write to the memory on their way. */
static int putback_dismiss(struct cp_putback *putback)
{
	int ret;

	if (!putback->leavers)
		return 0;
	putback->has_changed = true;
	ret = cp_leavers_send(putback->leavers, putback->pair);
	if (ret)
		return ret;
	putback_forget(putback);
	return putback_find(putback);
}

static int putback_execute(struct cp_putback *putback, const struct pt_regs *regs)
{
	int ret;

	if (!cp_call_begin(&putback->call, putback->pair))
		return -EPIPE;
	ret = cp_leavers_find(&putback->leavers, putback->pair,
			      &putback->shot->kept, regs) ?:
	      putback_find(putback) ?:
	      putback_dismiss(putback);
	if (ret)
		return ret;
	putback->has_changed = true;
	return putback_memory(putback);
}

/* The executor stays at the gate all the time. */
static bool putback_step(struct cp_call *call, struct cp_pair *pair,
			 struct pt_regs *regs)
{
	struct cp_putback *putback = container_of(call, struct cp_putback, call);

	putback->result = putback_execute(putback, regs);
	return false;
}

static void putback_over(struct cp_call *call, struct cp_pair *pair, int result)
{
	struct cp_putback *putback = container_of(call, struct cp_putback, call);

	if (!result && !putback->result) {
		cp_pin();
		queue_work(system_unbound_wq, &putback->work);
		return;
	}
	/* Of a process that is being killed nothing runs any more. */
	if (result || fatal_signal_pending(current))
		putback->result = -EPIPE;
	else if (putback->has_changed)
		putback_kill(putback, current);
	putback_finish(putback);
}

static const struct cp_call_ops putback_ops = {
	.step	= putback_step,
	.over	= putback_over,
};

/* The description of a thread in the snapshot. */
static const struct cp_snapshot_thread *thread_then(const struct cp_shot *shot,
						    const struct cp_state *state)
{
	return cp_description_thread(&shot->text, state->index);
}

/* Not under cp_parts.lock: the kernel may sleep while it checks these registers. */
static int restore_xstate(const struct cp_shot *shot, const struct cp_state *state)
{
	const struct cp_snapshot_thread *then = thread_then(shot, state);
	struct task_struct *task = get_pid_task(state->pid, PIDTYPE_PID);
	int ret;

	/* The process is being killed. */
	if (!task)
		return 0;
	while ((ret = cp_state_restore_xstate(task, shot->text.data + then->xstate_offset,
					      then->xstate_size)) == -EAGAIN)
		usleep_range(LOOK_AGAIN_MIN, LOOK_AGAIN_MAX);
	put_task_struct(task);
	return ret;
}

/* Under cp_parts.lock. */
static int restore_thread(struct cp_part *part, void *data)
{
	struct cp_putback *putback = data;
	const struct cp_shot *shot = putback->shot;
	struct task_struct *task = part->hook->task;
	const struct cp_state *state = cp_kept_find(&shot->kept, task);

	/* Only a signal that kills the process has it leave the gate. */
	if (!state || !cp_part_is_parked(part))
		return 0;
	WRITE_ONCE(part->is_put_back, true);
	return cp_state_restore(state, task, thread_then(shot, state));
}

static int putback_registers(struct cp_putback *putback)
{
	const struct cp_kept *kept = &putback->shot->kept;
	const struct cp_state *state;
	int ret = 0;

	for (state = kept->states; !ret && state < kept->states + kept->nr; state++)
		ret = restore_xstate(putback->shot, state);
	if (ret)
		return ret;
	while ((ret = cp_parts_each(&putback->pair->parts, restore_thread,
				    putback)) == -EAGAIN)
		usleep_range(LOOK_AGAIN_MIN, LOOK_AGAIN_MAX);
	return ret;
}

static void putback_work(struct work_struct *work)
{
	struct cp_putback *putback = container_of(work, struct cp_putback, work);

	if (putback_registers(putback))
		putback_kill(putback, putback->pair->slave.task);
	putback_finish(putback);
	cp_unpin();
}

static struct cp_putback *putback_create(struct cp_pair *pair, struct file *file)
{
	struct cp_shot *shot = cp_snapshot_of(file);
	struct cp_putback *putback;
	struct mm_struct *then;

	then = cp_frozen_get(&shot->frozen);
	if (!then)
		return ERR_PTR(-ENODATA);
	putback = kzalloc(sizeof(*putback), GFP_KERNEL_ACCOUNT);
	if (!putback) {
		mmput(then);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&putback->refs, 1);
	cp_call_init(&putback->call, &putback_ops);
	INIT_WORK(&putback->work, putback_work);
	init_waitqueue_head(&putback->wait);
	cp_pair_ref(pair);
	putback->pair = pair;
	putback->file = get_file(file);
	putback->shot = shot;
	putback->then = then;
	return putback;
}

static bool putback_is_done(const struct cp_putback *putback)
{
	/* Pairs with putback_finish(). */
	return smp_load_acquire(&putback->done);
}

/* Gives -ETIMEDOUT or -EINTR when it continues without the master. */
static int putback_wait(struct cp_putback *putback, u64 deadline)
{
	bool done = false, late = false;
	int ret;

	ret = ___wait_event(putback->wait,
			    (done = putback_is_done(putback)) || late,
			    (TASK_KILLABLE | TASK_FREEZABLE), 0, 0,
			    late = !cp_sleep_until(deadline));
	if (done)
		return putback->result;
	return ret ? -EINTR : -ETIMEDOUT;
}

/* What the walk over the threads finds. */
struct roll {
	const struct cp_shot *shot;
	unsigned int nr;
};

/* Under cp_parts.lock. */
static int check_thread(struct cp_part *part, void *data)
{
	struct task_struct *task = part->hook->task;
	const struct cp_state *state;
	struct roll *roll = data;

	state = cp_kept_find(&roll->shot->kept, task);
	if (!state)
		return 0;
	roll->nr++;
	return cp_state_check(state, task, thread_then(roll->shot, state));
}

static bool is_alive(struct cp_pair *pair, struct pid *pid)
{
	struct task_struct *task;
	bool alive;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	alive = task && cp_thread_find(pair, task);
	rcu_read_unlock();
	return alive;
}

/* A thread that the snapshot has and the process has not; 0 if it is not known. */
static s32 find_missing(struct cp_pair *pair, const struct cp_kept *kept)
{
	const struct cp_state *state;

	for (state = kept->states; state < kept->states + kept->nr; state++)
		if (!is_alive(pair, state->pid))
			return pid_nr_ns(state->pid, ns_of_pid(pair->master.pid));
	return 0;
}

static int check_threads(struct cp_pair *pair, const struct cp_shot *shot, s32 *late)
{
	struct roll roll = { .shot = shot };
	int ret = cp_parts_each(&pair->parts, check_thread, &roll);

	if (ret || roll.nr == shot->kept.nr)
		return ret;
	*late = find_missing(pair, &shot->kept);
	return -ESRCH;
}

/* All that makes the call fail before the executor looks. */
static int putback_check(struct cp_pair *pair, const struct cp_shot *shot, s32 *late)
{
	struct mm_struct *mm = pair->slave.mm;
	int ret;

	if (!mmget_not_zero(mm))
		return -EPIPE;
	ret = check_threads(pair, shot, late) ?: cp_obstacles_find(pair, mm);
	mmput(mm);
	return ret;
}

/* Under cp_parts.lock. */
static int call_executor(struct cp_part *part, void *data)
{
	struct cp_putback *putback = data;

	if (!cp_kept_find(&putback->shot->kept, part->hook->task) ||
	    !cp_part_is_parked(part))
		return 0;
	refcount_inc(&putback->refs);
	cp_part_call(part, &putback->call);
	return 1;
}

/* The gate is bolted; it is unbolted when this has returned and nothing is under way. */
static int putback_bolted(struct cp_pair *pair, struct cp_putback_ask *ask)
{
	struct cp_shot *shot = cp_snapshot_of(ask->file);
	struct cp_putback *putback;
	int ret;

	ret = putback_check(pair, shot, &ask->late);
	if (ret && cp_obstacles_is_gone(pair))
		ret = -EPIPE;
	putback = ret ? ERR_PTR(ret) : putback_create(pair, ask->file);
	if (IS_ERR(putback)) {
		cp_gate_unbolt(&pair->gate);
		return PTR_ERR(putback);
	}
	if (cp_parts_each(&pair->parts, call_executor, putback)) {
		ret = putback_wait(putback, ask->deadline);
		ask->pages = putback->nr_pages;
	} else {
		cp_gate_unbolt(&pair->gate);
		ret = -EPIPE;
	}
	putback_unref(putback);
	return ret;
}

/* The caller has the right to hold. */
static int putback_hold(struct cp_pair *pair, struct cp_putback_ask *ask)
{
	struct cp_hold_result result = { };
	int held, ret;

	held = cp_hold_begin_locked(pair, ask->deadline, ask->limit, false, &result);
	ask->late = result.late;
	if (held && held != -EALREADY)
		return held;
	ret = cp_hold_all(pair, ask->deadline, &ask->late);
	/* Unless the limit has passed, or an earlier call is still under way. */
	if (!ret && !cp_gate_bolt(&pair->gate))
		ret = cp_obstacles_is_gone(pair) ? -EPIPE : -ETIMEDOUT;
	else if (!ret)
		ret = putback_bolted(pair, ask);
	if (held != -EALREADY)
		cp_gate_open(&pair->gate);
	return ret;
}

/* What needs no hold. */
static int check_ask(struct cp_pair *pair, const struct cp_putback_ask *ask)
{
	const struct cp_shot *shot = cp_snapshot_of(ask->file);

	if (!shot || !cp_pair_is_process(pair))
		return -EINVAL;
	if (!pair->ask.may_write)
		return -EROFS;
	if (shot->kept.process != pair->slave.pid)
		return -EXDEV;
	return shot->source == pair->slave.mm ? 0 : -ESTALE;
}

/**
 * cp_putback - master: put the slave back to a snapshot
 * @pair: the pair
 * @ask: how
 *
 * If the slave is not held, it is held for this call.
 *
 * Return: 0, or an error as in struct cp_put_back; -ERESTARTSYS: a signal is pending.
 */
int cp_putback(struct cp_pair *pair, struct cp_putback_ask *ask)
{
	int ret = check_ask(pair, ask);

	if (ret)
		return ret;
	if (mutex_lock_interruptible(&pair->gate.holding))
		return -ERESTARTSYS;
	ret = putback_hold(pair, ask);
	mutex_unlock(&pair->gate.holding);
	return ret;
}
