// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook on a task's returns to user mode. How it works: hook.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/checkpoint.h>
#include <linux/errno.h>
#include <linux/irq_work.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/uprobes.h>
#include <asm/syscall.h>

#include "capture.h"
#include "compat.h"
#include "hook.h"
#include "pin.h"

/* For how long a nudge that came too early is delayed, in nanoseconds. */
#define RENUDGE_MIN	(20 * NSEC_PER_USEC)
#define RENUDGE_MAX	(1 * NSEC_PER_MSEC)

static void replay_interrupt(struct irq_work *work)
{
	/* The exit of the interrupt runs the hook's work. */
}

static DEFINE_PER_CPU(struct irq_work, replay_irq);

/* Flags that are not the program's: the processor's, and a debugger's. */
#define FOREIGN_FLAGS	(X86_EFLAGS_RF | X86_EFLAGS_TF)

/* The general registers: all that precede orig_ax. */
static bool same_general(const struct pt_regs *a, const struct pt_regs *b)
{
	const unsigned long *x = (const void *)a, *y = (const void *)b;
	unsigned long differ = 0;
	unsigned int i;

#pragma GCC unroll 16
	for (i = 0; i < offsetof(struct pt_regs, orig_ax) / sizeof(*x); i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

/* 32-bit code has no R8 to R15, and its system calls do not preserve ECX. */
static bool same_general_32(const struct pt_regs *a, const struct pt_regs *b)
{
	return a->ax == b->ax && a->bx == b->bx && a->dx == b->dx &&
	       a->si == b->si && a->di == b->di && a->bp == b->bp;
}

/*
 * Are both the same state of the program? They may differ in how the kernel was
 * entered (orig_ax) and in FOREIGN_FLAGS.
 */
static bool same_state(const struct pt_regs *a, const struct pt_regs *b)
{
	return (likely(user_64bit_mode((struct pt_regs *)a)) ?
		same_general(a, b) : same_general_32(a, b)) &&
	       a->ip == b->ip && a->sp == b->sp &&
	       a->cs == b->cs && a->ss == b->ss &&
	       !((a->flags ^ b->flags) & ~FOREIGN_FLAGS);
}

static unsigned long count_faults(void)
{
	return current->min_flt + current->maj_flt;
}

/*
 * Has the system call not returned yet? The entry code leaves -ENOSYS in RAX
 * until it has. A restart that the signal code has not applied yet counts as
 * well. A call whose final result is one of these is captured by the replay.
 */
static bool in_syscall(struct pt_regs *regs)
{
	if (syscall_get_nr(current, regs) == -1)
		return false;
	switch (syscall_get_error(current, regs)) {
	case -ENOSYS:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return true;
	default:
		return false;
	}
}

/*
 * Must signals be acted on before user mode is entered? A task frozen by its
 * cgroup sleeps with signals pending and TIF_SIGPENDING clear.
 */
static bool signals_come_first(void)
{
	return task_sigpending(current) || cgroup_task_frozen(current);
}

/*
 * Does the task enter user mode only to step over an instruction that a uprobe has
 * moved? uprobe_deny_signal() delays all signals until then, SIGSTOP and SIGKILL
 * included, so the task must not wait here.
 */
static bool is_stepping_over_uprobe(void)
{
#ifdef CONFIG_UPROBES
	return current->utask && current->utask->active_uprobe;
#else
	return false;
#endif
}

/**
 * cp_hook_is_final - work: is this a return to user mode, with the final registers?
 * @hook: the hook
 * @regs: the registers
 *
 * No other function decides this.
 *
 * Task work also runs in get_signal(), at each stop for a debugger, while
 * io_uring_enter() waits, on the way to do_exit() and in it, and before KVM
 * enters a guest. Only resume_user_mode_work() clears TIF_NOTIFY_RESUME first,
 * and hook_queue_work_again() sets that flag unless @late. KVM calls it as well, but
 * in the middle of an ioctl. If rseq's code has set the flag again since, the
 * answer is no, and the replay decides again.
 *
 * Return: true when it is.
 */
bool cp_hook_is_final(const struct cp_hook *hook, struct pt_regs *regs)
{
	return !hook->late && !test_thread_flag(TIF_NOTIFY_RESUME) &&
	       !in_syscall(regs) && !signals_come_first() &&
	       !is_stepping_over_uprobe();
}

/*
 * What brought the kernel to @seen, which are @regs or, in a replay, what
 * regs_as_entered() made of them. TS_COMPAT is cleared on the way to user mode.
 */
static struct cp_cause hook_cause(const struct cp_hook *hook,
				  const struct pt_regs *regs,
				  struct pt_regs *seen)
{
	struct cp_cause cause = { .entry = CP_ENTRY_INTERRUPT };

	if (syscall_get_nr(current, seen) != -1) {
		cause.entry = CP_ENTRY_SYSCALL;
		cause.i386 = seen == regs ? in_ia32_syscall() : hook->i386;
	} else if (count_faults() != hook->faults) {
		cause.entry = CP_ENTRY_FAULT;
	}
	return cause;
}

/* From here on, the notifier sees every return to user mode. */
static void hook_watch(struct cp_hook *hook)
{
	unsigned long flags;

	preempt_disable();
	hook->watching = true;
	preempt_notifier_register(&hook->pn);
	/* KVM removes its own notifiers from this list in an interrupt. */
	local_irq_save(flags);
	user_return_notifier_register(&hook->urn);
	local_irq_restore(flags);
	preempt_enable();
}

static void hook_unwatch(struct cp_hook *hook)
{
	unsigned long flags;

	preempt_disable();
	local_irq_save(flags);
	user_return_notifier_unregister(&hook->urn);
	local_irq_restore(flags);
	preempt_notifier_unregister(&hook->pn);
	hook->watching = false;
	preempt_enable();
}

static void hook_sched_out(struct preempt_notifier *pn,
			   struct task_struct *next)
{
	struct cp_hook *hook = container_of(pn, struct cp_hook, pn);

	/* Interrupts are off: the run queue is locked. */
	user_return_notifier_unregister(&hook->urn);
}

static void hook_sched_in(struct preempt_notifier *pn, int cpu)
{
	struct cp_hook *hook = container_of(pn, struct cp_hook, pn);
	unsigned long flags;

	local_irq_save(flags);
	user_return_notifier_register(&hook->urn);
	local_irq_restore(flags);
}

static struct preempt_ops hook_preempt_ops = {
	.sched_in	= hook_sched_in,
	.sched_out	= hook_sched_out,
};

static void nudge_work(struct callback_head *work)
{
	struct cp_hook *hook = container_of(work, struct cp_hook, nudge_work);

	clear_bit(0, &hook->nudging);
	/*
	 * io_uring_enter() runs this work while it waits, and would wait again
	 * afterwards. It returns for TIF_SIGPENDING, which get_signal() clears
	 * when it finds no signal.
	 */
	if (!(current->flags & PF_EXITING) &&
	    !cp_hook_is_final(hook, current_pt_regs()))
		set_thread_flag(TIF_SIGPENDING);
	hook->ops->unref(hook);
	cp_unpin();
}

static bool hook_is_due(const struct cp_hook *hook)
{
	return !hook->rated || READ_ONCE(hook->wanted) ||
	       hook->ops->is_due(hook);
}

typedef bool (*capture_fn)(struct cp_hook *hook, struct pt_regs *regs,
			   struct cp_cause cause);

/* Captures @seen in one of the two ways. */
static __always_inline bool hook_capture(struct cp_hook *hook,
					 const struct pt_regs *regs,
					 struct pt_regs *seen,
					 capture_fn capture)
{
	bool wanted = READ_ONCE(hook->wanted);

	/* Before the capture: the master that fetches it may nudge again at once. */
	WRITE_ONCE(hook->wanted, false);
	if (!capture(hook, seen, hook_cause(hook, regs, seen))) {
		if (wanted)
			WRITE_ONCE(hook->wanted, true);
		return false;
	}
	hook->replayed = false;
	hook->faults = count_faults();
	return true;
}

/*
 * A replay repeats the return before it: gives the registers with the orig_ax of
 * the first entry.
 */
static struct pt_regs *regs_as_entered(const struct cp_hook *hook,
				       struct pt_regs *regs,
				       struct pt_regs *earlier)
{
	if (!hook->replayed || !same_state(regs, &hook->regs))
		return regs;
	*earlier = *regs;
	earlier->orig_ax = hook->regs.orig_ax;
	return earlier;
}

/**
 * cp_hook_syscall - work: the system call from which the task returns, even in a replay
 * @hook: the hook
 * @regs: the registers
 *
 * Return: the number of the call; -1 when something else brought the task into the kernel.
 */
long cp_hook_syscall(const struct cp_hook *hook, struct pt_regs *regs)
{
	struct pt_regs earlier;

	return regs_as_entered(hook, regs, &earlier)->orig_ax;
}

/* Captures this return; false when a signal has to be acted on first. */
static bool hook_settle(struct cp_hook *hook, struct pt_regs *regs)
{
	struct pt_regs earlier, *seen = regs_as_entered(hook, regs, &earlier);

	if (!hook_capture(hook, regs, seen, hook->ops->capture))
		return false;
	hook->regs = *regs;
	return true;
}

static void hook_foresee_death(struct cp_hook *hook, struct pt_regs *regs)
{
	struct pt_regs earlier, *seen = regs_as_entered(hook, regs, &earlier);

	hook->ops->foresee_death(hook, seen, hook_cause(hook, regs, seen));
}

/* In the work: these registers are left to the notifier. */
static void hook_step_aside(struct cp_hook *hook, struct pt_regs *regs)
{
	if (signals_come_first())
		hook_foresee_death(hook, regs);
	hook->ops->report(hook, CP_HOOK_STEP_ASIDE);
}

/* In the work: captures or skips this return, or saves a state before death. */
static void hook_serve_early(struct cp_hook *hook, struct pt_regs *regs)
{
	hook->skipped = false;
	hook->settled = false;
	if (cp_hook_is_final(hook, regs)) {
		hook->skipped = !hook_is_due(hook);
		hook->settled = !hook->skipped && hook_settle(hook, regs);
	}
	if (hook->skipped || hook->settled)
		hook->late = hook->ops->prefers_late(hook);
	else
		hook_step_aside(hook, regs);
}

/* In the notifier: has the work dealt with this return? */
static bool hook_was_served(struct cp_hook *hook, const struct pt_regs *regs)
{
	bool served = hook->skipped ||
		      (hook->settled && same_state(regs, &hook->regs));

	/* Faults before a skipped return do not explain a later one. */
	if (hook->skipped)
		hook->faults = count_faults();
	hook->skipped = false;
	hook->settled = false;
	return served;
}

/* In the notifier: skips or captures these registers, if possible. */
static bool hook_serve_late(struct cp_hook *hook, struct pt_regs *regs)
{
	if (!hook_is_due(hook)) {
		hook->faults = count_faults();
		return true;
	}
	return hook_capture(hook, regs, regs, hook->ops->capture_late);
}

/* These registers are left to the work in the exit of the replay's interrupt. */
static void hook_postpone(struct cp_hook *hook, const struct pt_regs *regs)
{
	/* A replay that is not captured either still repeats the first return. */
	if (!hook->replayed || !same_state(regs, &hook->regs)) {
		hook->regs = *regs;
		hook->i386 = in_ia32_syscall();
	}
	hook->replayed = true;
	hook->late = false;
	hook->ops->report(hook, CP_HOOK_REPLAY);
}

/* With @late, the work runs only when another task_work does. */
static void hook_queue_work_again(struct cp_hook *hook)
{
	/* Cannot fail: a task that enters user mode is not exiting. */
	if (!hook->queued)
		task_work_add(current, &hook->work, TWA_NONE);
	hook->queued = true;
	if (!hook->late)
		set_notify_resume(current);
}

/*
 * In the notifier: a nudge arrived after this return was captured. Acting on it now
 * would hand over the same registers again, and a master that nudges in a loop would
 * keep the slave from executing anything. So the nudge is delayed by RENUDGE_MIN,
 * doubled up to RENUDGE_MAX while the slave has not moved.
 */
static void hook_renudge_later(struct cp_hook *hook, const struct pt_regs *regs)
{
	bool moved = !same_state(regs, &hook->renudged);

	hook->renudge_delay = moved ? RENUDGE_MIN :
			      min(2 * hook->renudge_delay, RENUDGE_MAX);
	hook->renudged = *regs;
	hrtimer_start(&hook->renudge, ns_to_ktime(hook->renudge_delay),
		      HRTIMER_MODE_REL_HARD);
}

static enum hrtimer_restart hook_renudge(struct hrtimer *timer)
{
	struct cp_hook *hook = container_of(timer, struct cp_hook, renudge);

	if (READ_ONCE(hook->wanted))
		cp_hook_nudge(hook);
	return HRTIMER_NORESTART;
}

/*
 * In the notifier: the task enters user mode for its owner. Unless the registers are those
 * that the owner set, the interrupt has the work look at them before an instruction is
 * executed.
 */
static void hook_continue_detour(struct cp_hook *hook, const struct pt_regs *regs)
{
	hook->late = false;
	hook_queue_work_again(hook);
	if (!same_state(regs, &hook->regs) || cp_need_resched())
		irq_work_queue(this_cpu_ptr(&replay_irq));
}

/* The last step before user mode, interrupts off. */
static void hook_user_return(struct user_return_notifier *urn)
{
	struct cp_hook *hook = container_of(urn, struct cp_hook, urn);
	struct pt_regs *regs = current_pt_regs();
	bool served, owed;

	if (unlikely(hook->detour)) {
		hook_continue_detour(hook, regs);
		return;
	}
	/* The program continues after the instruction has been stepped over. */
	if (is_stepping_over_uprobe()) {
		hook_queue_work_again(hook);
		return;
	}
	served = hook_was_served(hook, regs) ||
		 (hook->late && hook_serve_late(hook, regs));
	if (!served)
		hook_postpone(hook, regs);
	owed = hook->ops->leave(hook, served);
	/* The exit of the interrupt runs the work, which issues the wake-up. */
	if (owed)
		hook->late = false;
	hook_queue_work_again(hook);

	/*
	 * mmap_read_unlock() may have woken a task that wants this CPU, and the
	 * check on the way to user mode is over.
	 */
	if (!served || owed || cp_need_resched())
		irq_work_queue(this_cpu_ptr(&replay_irq));
	else if (READ_ONCE(hook->wanted))
		hook_renudge_later(hook, regs);
}

/* In the work: true when the task is, and stays, on a detour. */
static bool hook_is_on_detour(struct cp_hook *hook, struct pt_regs *regs)
{
	if (!cp_hook_is_final(hook, regs))
		return true;
	hook->detour = hook->ops->detour(hook, regs);
	hook->regs = *regs;
	/* Faults of the detour are not the program's. */
	hook->faults = count_faults();
	return hook->detour;
}

/* In the work: the task has arrived with registers of its program. */
static void hook_serve(struct cp_hook *hook, struct pt_regs *regs)
{
	hook->ops->arrive(hook);
	if (hook->ops->is_over(hook))
		return;
	hook_serve_early(hook, regs);
	if (!hook->settled || !hook->ops->detour(hook, regs))
		return;
	hook->detour = true;
	hook->regs = *regs;
	hook->late = false;
}

static void hook_work(struct callback_head *work)
{
	struct cp_hook *hook = container_of(work, struct cp_hook, work);
	struct pt_regs *regs = current_pt_regs();

	hook->queued = false;
	if (current->flags & PF_EXITING)
		hook->detour = false;
	/* The state to which a detour leads back has been captured already. */
	if (!hook->detour)
		hook_serve(hook, regs);
	else if (hook_is_on_detour(hook, regs))
		return;
	if (hook->detour || !hook->ops->is_over(hook)) {
		if (!hook->watching)
			hook_watch(hook);
		return;
	}
	if (hook->watching)
		hook_unwatch(hook);
	hrtimer_cancel(&hook->renudge);
	hook->ops->unhooked(hook);
}

/**
 * cp_hook_task_exits - the current task, which has this hook, is exiting
 * @hook: the hook
 *
 * Has exit_task_work() run the work, which removes the hook. Atomic context.
 */
void cp_hook_task_exits(struct cp_hook *hook)
{
	if (!hook->watching)
		return;
	hook_unwatch(hook);
	/* Cannot fail: exit_task_work() has not run yet. */
	if (!hook->queued)
		task_work_add(current, &hook->work, TWA_NONE);
}

/**
 * cp_hook_prepare - make a hook ready to be armed, or to be released unarmed
 * @hook: the hook, zeroed
 * @task: the task; the owner holds it for as long as the hook exists
 * @ops: what the owner does in the hook
 * @rated: the owner does not want every return
 */
void cp_hook_prepare(struct cp_hook *hook, struct task_struct *task,
		     const struct cp_hook_ops *ops, bool rated)
{
	hook->task = task;
	hook->ops = ops;
	hook->rated = rated;
	init_task_work(&hook->work, hook_work);
	init_task_work(&hook->nudge_work, nudge_work);
	raw_spin_lock_init(&hook->nudge_lock);
	hrtimer_setup(&hook->renudge, hook_renudge, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	hook->urn.on_user_return = hook_user_return;
	preempt_notifier_init(&hook->pn, &hook_preempt_ops);
}

/**
 * cp_hook_arm - hook a task's returns to user mode
 * @hook: the hook, prepared
 *
 * The caller has taken the references that @ops->unhooked drops, and enabled the probe on
 * exits (tasks.h). The task may be one that has not run yet. Any context.
 *
 * Return: 0; -ESRCH when the task is exiting.
 */
int cp_hook_arm(struct cp_hook *hook)
{
	/* The task may fault meanwhile; a count that is off by one is harmless. */
	hook->faults = data_race(hook->task->min_flt + hook->task->maj_flt);
	hook->queued = true;
	return task_work_add(hook->task, &hook->work, TWA_RESUME);
}

/* The caller's reference keeps owner and module until @ops->ref. */
static void hook_queue_nudge(struct cp_hook *hook)
{
	lockdep_assert_held(&hook->nudge_lock);
	if (test_and_set_bit(0, &hook->nudging))
		return;
	hook->ops->report(hook, CP_HOOK_NUDGE);
	hook->ops->ref(hook);
	cp_pin();
	if (!task_work_add(hook->task, &hook->nudge_work, TWA_SIGNAL))
		return;
	/* The task is exiting. The caller holds references, so none is the last. */
	clear_bit(0, &hook->nudging);
	cp_unpin();
	hook->ops->unref(hook);
}

/**
 * cp_hook_nudge - bring the task to its next return to user mode
 * @hook: the hook
 *
 * Works like a signal: interruptible sleeps end, and system calls restart, or not,
 * as after a handler with SA_RESTART. Does nothing once
 * cp_hook_release() has been called. Any context.
 */
void cp_hook_nudge(struct cp_hook *hook)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&hook->nudge_lock, flags);
	if (!hook->released) {
		/* Even if @nudge_work is queued: that nudge may have been served. */
		WRITE_ONCE(hook->wanted, true);
		hook_queue_nudge(hook);
	}
	raw_spin_unlock_irqrestore(&hook->nudge_lock, flags);
}

/**
 * cp_hook_kick - have a task that is in user mode enter the kernel, and return
 * @hook: the hook
 *
 * Interrupts no sleep and no system call. The next return asks @ops->is_due, which sees
 * what the caller has written before. Any context.
 */
void cp_hook_kick(struct cp_hook *hook)
{
	/* Pairs with the barriers of a context switch, for a task that is switched in. */
	smp_mb();
	kick_process(hook->task);
}

/**
 * cp_hook_nudge_served - note that nudges so far have brought the task where it is
 * @hook: the hook
 *
 * Called by the task in @ops->capture, which deals with this return.
 */
void cp_hook_nudge_served(struct cp_hook *hook)
{
	WRITE_ONCE(hook->wanted, false);
}

/**
 * cp_hook_discard - work: the state that was captured is not the one that user mode gets
 * @hook: the hook
 *
 * Called by the task in @ops->detour, when others have set its registers. Even if they are
 * the same, the next state is captured.
 */
void cp_hook_discard(struct cp_hook *hook)
{
	hook->settled = false;
}

/**
 * cp_hook_release - let no nudge reach the task from here on
 * @hook: the hook
 *
 * Once the owner has released the task, none of its system calls may fail with EINTR
 * because of a nudge. Any context.
 */
void cp_hook_release(struct cp_hook *hook)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&hook->nudge_lock, flags);
	hook->released = true;
	raw_spin_unlock_irqrestore(&hook->nudge_lock, flags);
}

/**
 * cp_hook_init - prepare the interrupt that repeats a return
 *
 * Return: 0, or -ENODEV, which has been logged.
 */
int cp_hook_init(void)
{
	int cpu;

	/* Otherwise irq_work waits for a tick, and a return would be missed. */
	if (!arch_irq_work_has_interrupt()) {
		pr_err("this machine's processors cannot interrupt themselves: no local APIC\n");
		return -ENODEV;
	}

	/* Not statically: addresses in a module's per-CPU data stay 0. */
	for_each_possible_cpu(cpu)
		per_cpu(replay_irq, cpu) = IRQ_WORK_INIT_HARD(replay_interrupt);
	return 0;
}

/**
 * cp_hook_exit - wait until no code of a hook runs
 *
 * No hook is left: each one holds the module.
 */
void cp_hook_exit(void)
{
	/* A notifier or a replay may be executing its last instructions. */
	synchronize_rcu();
	/* A task may have been preempted in the last ones of a work. */
	synchronize_rcu_tasks();
}
