/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hook on a task's returns to user mode: every one of them, with the
 * registers with which user mode is entered.
 *
 * Three parts of the kernel carry it:
 *
 *	urn	A user-return notifier. It fires at the very last step before
 *		user mode, interrupts off, and sees the registers as they are
 *		final.
 *	pn	A preempt notifier. User-return notifiers belong to a CPU and
 *		fire for any task there: @pn takes @urn off when the task is
 *		scheduled out and puts it on the CPU that the task comes back
 *		on.
 *	work	A task_work, run by the kernel's exit path while the task may
 *		still sleep; also before a signal is acted on, and when the
 *		task exits. A task_work that queues itself again is run again
 *		in the same pass, for ever: so it is @urn that queues it.
 *
 * From the first run of the work to the last, @urn and @pn are registered
 * (@watching). While the task is in user mode, the work is queued.
 *
 * A checkpoint is taken in one of two places:
 *
 *	early	In the work, which may wait for the master, and for memory. But
 *		what it saw need not be what user mode sees: signals are
 *		delivered after it, a restart of a system call may still be
 *		outstanding, a debugger may write registers. So @urn compares.
 *	late	In @urn (@late): of the very registers, and with neither a pass
 *		through the work nor a comparison. The work stays queued, but
 *		nothing makes the next return run it. For slaves that need not
 *		wait: as long as all memory is there, and there is little to
 *		copy while interrupts are off. And for returns that are none of
 *		those that the master wants, which are most with a rate.
 *
 * Where neither gave a checkpoint of these registers, @urn sends the CPU an
 * interrupt, which arrives as soon as user mode is entered, before its first
 * instruction. That interrupt's exit runs the work, on exactly the registers
 * that were missed. No return goes by unseen, whatever happened in the exit
 * path, and nothing here needs to know what that was.
 *
 * A task that dies after the work has run and before user mode has no work
 * queued. The tracepoint sched_process_exit finds it, and queues the work;
 * exit_task_work() runs it. The work is thus the one place where the hook
 * ends, in the task's own context, where it may sleep.
 */
#ifndef _CP_HOOK_H
#define _CP_HOOK_H

#include <linux/hrtimer.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <linux/user-return-notifier.h>

struct task_struct;

/**
 * struct cp_hook - the hook on one task; part of its pair
 * @task:	the slave; the pair holds a reference
 * @work:	see above
 * @queued:	@work is queued
 * @nudge_work:	queued to bring a sleeping task out of its system call
 * @nudging:	bit 0: @nudge_work is queued
 * @wanted:	nudged: a checkpoint is due, whatever the rate
 * @nudge_lock:	orders a nudge and cp_hook_release(); a raw lock, because
 *		@renudge takes it in hard interrupt context
 * @released:	no more nudges; @nudge_lock
 * @renudge:	nudges again, when the last time was between a checkpoint and
 *		user mode
 * @renudge_delay: how long it waits before that, in ns
 * @renudged:	the registers of that checkpoint
 * @urn:	registered while @watching
 * @pn:		registered while @watching
 * @watching:	see above
 * @late:	the next checkpoint is taken late, if it can be
 * @skipped:	the work has seen: this return is none of those that the master
 *		wants
 * @settled:	the work has dealt with @regs: captured, or their turn was missed
 * @replayed:	@regs were not dealt with, and the interrupt that repeats them
 *		is under way
 * @regs:	with @settled or @replayed
 * @i386:	with @replayed: the call was one of the i386 ABI
 * @faults:	the task's page faults when it was last seen
 *
 * Once the hook is armed, only the task itself accesses it, except for
 * @nudge_work, @nudging, @wanted, @nudge_lock, @released and the @renudge
 * callback. @wanted and @released are not next to the other flags because the
 * compiler may access adjacent bools as one word.
 */
struct cp_hook {
	struct task_struct *task;
	struct callback_head work;
	bool queued;
	struct callback_head nudge_work;
	unsigned long nudging;
	bool wanted;
	raw_spinlock_t nudge_lock; /* @released, and the queueing of @nudge_work */
	bool released;
	struct hrtimer renudge;
	long renudge_delay;
	struct pt_regs renudged;
	struct user_return_notifier urn;
	struct preempt_notifier pn;
	bool watching;
	bool late;
	bool skipped;
	bool settled;
	bool replayed;
	struct pt_regs regs;
	bool i386;
	unsigned long faults;
};

int cp_hook_init(void);
void cp_hook_exit(void);
void cp_hook_prepare(struct cp_hook *hook, struct task_struct *task);
int cp_hook_arm(struct cp_hook *hook);
void cp_hook_nudge(struct cp_hook *hook);
void cp_hook_release(struct cp_hook *hook);

#endif /* _CP_HOOK_H */
