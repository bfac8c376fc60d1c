/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hook on a task's returns to user mode: it sees every return, with the
 * registers with which user mode is entered.
 *
 * The hook uses three mechanisms of the kernel:
 *
 *	urn	A user-return notifier. It fires at the very last step before
 *		user mode, with interrupts off, and sees the final registers.
 *	pn	A preempt notifier. User-return notifiers belong to a CPU and
 *		fire for any task there: @pn unregisters @urn when the task is
 *		scheduled out, and registers it on the CPU on which the task is
 *		scheduled in.
 *	work	A task_work, run by the kernel's exit path while the task may
 *		still sleep; also before a signal is acted on, and when the
 *		task exits. A task_work that queues itself runs again in the
 *		same pass, without end, so @urn queues it.
 *
 * From the first run of the work to the last, @urn and @pn are registered
 * (@watching). While the task is in user mode, the work is queued.
 *
 * A checkpoint is captured in one of two places:
 *
 *	early	In the work, which may wait for the owner's peer and for memory.
 *		The registers may still change after the work: signals are
 *		delivered, a system call's restart may be outstanding, a
 *		debugger may write registers. So @urn compares them.
 *	late	In @urn (@late), which has the final registers: neither the work
 *		nor a comparison is needed. The work stays queued, but nothing
 *		makes the next return run it. This is for owners that need not
 *		wait, while all memory is present and little has to be copied
 *		with interrupts off; and for returns that the owner does not
 *		want: with a rate, most returns.
 *
 * If neither captured these registers, @urn sends the CPU an interrupt, which
 * arrives as soon as user mode is entered, before its first instruction. The exit
 * of that interrupt runs the work on exactly the registers that were missed (a
 * replay). So no return is missed, whatever happened in the exit path, and the
 * hook need not know what happened there.
 *
 * The owner may have the task make a detour: enter user mode with registers that the owner
 * has set, to execute a system call, and come back to the state that was captured. During
 * a detour, every return that shows other registers than those that the owner set is
 * repeated by the interrupt, so that no instruction but the owner's is executed.
 *
 * A task that dies after the work has run and before user mode has no work
 * queued: cp_hook_task_exits() queues it, and exit_task_work() runs it. So the
 * hook always ends in the work, in the task's own context, where it may sleep.
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

struct cp_cause;
struct cp_hook;
struct task_struct;

/* Steps that the owner reports to tracepoints. */
enum cp_hook_step {
	CP_HOOK_STEP_ASIDE,	/* this return has to be looked at again */
	CP_HOOK_REPLAY,		/* an interrupt repeats a return */
	CP_HOOK_NUDGE,		/* the task is brought out of the kernel */
};

/**
 * struct cp_hook_ops - what the owner of a hook does in it
 * @arrive:	work: the task is on its way to user mode, or exiting
 * @is_over:	work: is the hook to be removed?
 * @capture:	work: hand over this state; false when a signal has to be acted
 *		on first
 * @prefers_late: work: is @capture_late likely to succeed next time?
 * @foresee_death: work: the task may be about to die in this state
 * @detour:	work: after @capture, and at each return during a detour: does the task
 *		have to enter user mode with registers that are not the program's, which
 *		this has set? False when @regs are the program's, as they were captured
 * @unhooked:	work: the hook has been removed; the last call
 * @is_due:	work and notifier: false when the owner does not want this return;
 *		true if @is_over
 * @capture_late: notifier: hand over this state without waiting; false when only
 *		@capture can
 * @leave:	notifier: user mode is next, and @served says whether this return has been
 *		dealt with. True when the work has to run soon
 * @ref:	any context: take a reference on the owner
 * @unref:	work: drop it
 * @report:	any context: for tracepoints
 *
 * "work": in the task's own context, where it may sleep. "notifier": in the task's
 * own context, interrupts off.
 */
struct cp_hook_ops {
	void (*arrive)(struct cp_hook *hook);
	bool (*is_over)(const struct cp_hook *hook);
	bool (*capture)(struct cp_hook *hook, struct pt_regs *regs,
			struct cp_cause cause);
	bool (*prefers_late)(const struct cp_hook *hook);
	void (*foresee_death)(struct cp_hook *hook, struct pt_regs *regs,
			      struct cp_cause cause);
	bool (*detour)(struct cp_hook *hook, struct pt_regs *regs);
	void (*unhooked)(struct cp_hook *hook);
	bool (*is_due)(const struct cp_hook *hook);
	bool (*capture_late)(struct cp_hook *hook, struct pt_regs *regs,
			     struct cp_cause cause);
	bool (*leave)(struct cp_hook *hook, bool served);
	void (*ref)(struct cp_hook *hook);
	void (*unref)(struct cp_hook *hook);
	void (*report)(const struct cp_hook *hook, enum cp_hook_step step);
};

/**
 * struct cp_hook - the hook on one task
 * @task:	the task; the owner holds a reference
 * @ops:	what the owner does in the hook
 * @rated:	the owner does not want every return: ask @ops->is_due
 * @work:	see above
 * @queued:	@work is queued
 * @nudge_work:	queued to bring a sleeping task out of its system call
 * @nudging:	bit 0: @nudge_work is queued
 * @wanted:	the task has been nudged: the next return is due, whatever the rate
 * @nudge_lock:	orders a nudge and cp_hook_release(); a raw lock, because
 *		@renudge takes it in hard interrupt context
 * @released:	the task is not nudged any more
 * @renudge:	nudges again after a nudge that came between a capture and user
 *		mode
 * @renudge_delay: the delay of @renudge, in nanoseconds
 * @renudged:	the registers of that capture
 * @urn:	registered while @watching
 * @pn:		registered while @watching
 * @watching:	see above
 * @late:	capture the next state late, if possible
 * @skipped:	the work has found that the owner does not want this return
 * @settled:	the work has dealt with @regs: they were captured, or missed
 * @detour:	the task is on a detour; @regs are those that the owner set
 * @replayed:	@regs were not dealt with, and the interrupt that repeats them
 *		is under way
 * @regs:	with @settled, @replayed or @detour
 * @i386:	with @replayed: the system call used the i386 ABI
 * @faults:	the task's count of page faults at its last return
 *
 * Once the hook is armed, only the task itself accesses it, except for
 * @nudge_work, @nudging, @wanted, @nudge_lock, @released and the @renudge
 * callback. @wanted and @released are not next to the other flags because the
 * compiler may access adjacent bools as one word.
 */
struct cp_hook {
	struct task_struct *task;
	const struct cp_hook_ops *ops;
	bool rated;
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
	bool detour;
	bool replayed;
	struct pt_regs regs;
	bool i386;
	unsigned long faults;
};

int cp_hook_init(void);
void cp_hook_exit(void);
void cp_hook_prepare(struct cp_hook *hook, struct task_struct *task,
		     const struct cp_hook_ops *ops, bool rated);
int cp_hook_arm(struct cp_hook *hook);
void cp_hook_nudge(struct cp_hook *hook);
void cp_hook_kick(struct cp_hook *hook);
void cp_hook_nudge_served(struct cp_hook *hook);
void cp_hook_discard(struct cp_hook *hook);
void cp_hook_release(struct cp_hook *hook);
void cp_hook_task_exits(struct cp_hook *hook);
bool cp_hook_is_final(const struct cp_hook *hook, struct pt_regs *regs);
long cp_hook_syscall(const struct cp_hook *hook, struct pt_regs *regs);

#endif /* _CP_HOOK_H */
