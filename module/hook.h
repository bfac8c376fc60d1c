/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hook on a task's returns to user mode: every one of them, with the
 * registers with which user mode is entered.
 *
 * Three parts of the kernel carry it, each into the next:
 *
 *	work	A task_work, run by the kernel's exit path while the task may
 *		still sleep. Here the checkpoint is taken. A task_work that
 *		queues itself again is run again in the same pass, for ever,
 *		so it cannot prepare for the next return by itself.
 *	urn	A user-return notifier, which the work registers. It fires at
 *		the very last step before user mode, interrupts off, and
 *		queues the work: the next exit from the kernel runs it.
 *	pn	A preempt notifier, registered together with @urn. User-return
 *		notifiers belong to a CPU and fire for any task there: @pn
 *		takes @urn off when the task is scheduled out and puts it on
 *		the CPU that the task comes back on.
 *
 * The time between work and user mode is the window (@in_window): @urn and @pn
 * are registered in it and nowhere else, and the work is queued outside it and
 * nowhere else. One of the two always holds, until hook_finish().
 *
 * What the work saw need not be what user mode sees: signals are delivered
 * after it, a restart of a system call may still be outstanding, a debugger
 * may write registers. So @urn compares. Where the registers are not those of
 * the checkpoint, or none could be taken, it sends the CPU an interrupt, which
 * arrives as soon as user mode is entered, before its first instruction. That
 * interrupt's exit runs the work, on exactly the registers that were missed.
 * No return goes by unseen, whatever happened in the exit path, and nothing
 * here needs to know what that was.
 *
 * A task that dies in the window has no work queued. The tracepoint
 * sched_process_exit finds it, leaves the window and queues the work;
 * exit_task_work() runs it. The work is thus the one place where the hook
 * ends, in the task's own context, where it may sleep.
 */
#ifndef _CP_HOOK_H
#define _CP_HOOK_H

#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <linux/user-return-notifier.h>

struct task_struct;

/**
 * struct cp_hook - the hook on one task; part of its pair
 * @task:	the slave; the pair holds a reference
 * @work:	queued outside the window
 * @nudge_work:	queued to bring a sleeping task out of its system call
 * @nudging:	bit 0: @nudge_work is queued
 * @urn:	registered inside the window
 * @pn:		registered inside the window
 * @nudged:	nudged inside the window: this return no longer counts for it
 * @in_window:	see above; set and cleared by the task itself
 * @wanted:	nudged: a checkpoint is due, whatever the rate
 * @skipped:	this return is none of those that the master wants
 * @settled:	@regs are dealt with: captured, or their turn was missed
 * @replayed:	@regs were not, and the interrupt that repeats them is under way
 * @regs:	the registers of the last run of the work, or with @replayed
 *		those with which user mode was entered
 * @faults:	the task's page faults when it was last seen
 *
 * All but @nudge_work, @nudging and @wanted is touched only by the task itself once the
 * hook is armed.
 */
struct cp_hook {
	struct task_struct *task;
	struct callback_head work;
	struct callback_head nudge_work;
	unsigned long nudging;
	struct user_return_notifier urn;
	struct preempt_notifier pn;
	bool nudged;
	bool in_window;
	bool wanted;
	bool skipped;
	bool settled;
	bool replayed;
	struct pt_regs regs;
	unsigned long faults;
};

int cp_hook_init(void);
void cp_hook_exit(void);
int cp_hook_arm(struct cp_hook *hook);
void cp_hook_nudge(struct cp_hook *hook);

#endif /* _CP_HOOK_H */
