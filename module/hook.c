// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook on a task's returns to user mode. How it works: hook.h.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/checkpoint.h>
#include <linux/errno.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/tracepoint.h>
#include <linux/uprobes.h>
#include <linux/workqueue.h>
#include <asm/syscall.h>

#include "capture.h"
#include "compat.h"
#include "pair.h"
#include "pin.h"
#include "trace.h"

/* How long after the last pair's end bystanders go without any cost. */
#define IDLE_DELAY	HZ

/* For how long a nudge that came too early is put off, in ns. */
#define RENUDGE_MIN	(20 * NSEC_PER_USEC)
#define RENUDGE_MAX	(1 * NSEC_PER_MSEC)

static struct tracepoint *exit_tracepoint;
static DEFINE_MUTEX(users_mutex);	/* enabling and disabling */
static atomic_t users = ATOMIC_INIT(0);	/* hooks that are armed */
static bool enabled;

static void replay_interrupt(struct irq_work *work)
{
	/* The interrupt is all that is wanted: its exit runs the hook's work. */
}

static DEFINE_PER_CPU(struct irq_work, replay_irq);

static struct cp_pair *pair_of(struct cp_hook *hook)
{
	return container_of(hook, struct cp_pair, hook);
}

/* Flags that are not the program's: the processor's, and a debugger's. */
#define FOREIGN_FLAGS	(X86_EFLAGS_RF | X86_EFLAGS_TF)

/* All of them, and what lies before orig_ax. */
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

/* R8 to R15 are not 32-bit code's, and its system calls come back without ECX. */
static bool same_general_32(const struct pt_regs *a, const struct pt_regs *b)
{
	return a->ax == b->ax && a->bx == b->bx && a->dx == b->dx &&
	       a->si == b->si && a->di == b->di && a->bp == b->bp;
}

/*
 * The same state of the program? What may differ is how the kernel came to
 * be entered from it (orig_ax), and what others do with its flags.
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
 * Must signals be acted on before user mode is entered? A task that its cgroup
 * freezes sleeps with signals pending and TIF_SIGPENDING cleared.
 */
static bool signals_come_first(void)
{
	return task_sigpending(current) || cgroup_task_frozen(current);
}

/*
 * Does the slave enter user mode only to step over an instruction that a uprobe
 * has moved elsewhere? uprobe_deny_signal() puts off all signals until that is
 * done, SIGSTOP and SIGKILL included, so the slave must not wait here.
 */
static bool is_stepping_over_uprobe(void)
{
#ifdef CONFIG_UPROBES
	return current->utask && current->utask->active_uprobe;
#else
	return false;
#endif
}

/*
 * Asked by the works: is this a return of the program to user mode, with its
 * final registers? Everything that depends on that asks here.
 *
 * Task work also runs in get_signal(), at each stop for a debugger, while
 * io_uring_enter() waits, on the way to do_exit() and in it, and before KVM
 * enters a guest. Only resume_user_mode_work() clears TIF_NOTIFY_RESUME first,
 * and queue_work_again() sets that flag unless @late. KVM calls it as well, but
 * in the middle of an ioctl. If rseq's code has set the flag again since, the
 * answer is no, and the replay asks once more.
 */
static bool is_return_of_program(const struct cp_hook *hook,
				 struct pt_regs *regs)
{
	return !hook->late && !test_thread_flag(TIF_NOTIFY_RESUME) &&
	       !in_syscall(regs) && !signals_come_first() &&
	       !is_stepping_over_uprobe();
}

/*
 * What brought the kernel to @seen, which are @regs or, in a replay, what
 * as_entered() made of them. TS_COMPAT is cleared on the way to user mode.
 */
static struct cp_cause cause_of(const struct cp_hook *hook,
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

/* From here on, every return to user mode comes by. */
static void watch(struct cp_hook *hook)
{
	unsigned long flags;

	preempt_disable();
	hook->watching = true;
	preempt_notifier_register(&hook->pn);
	/* KVM takes its own notifiers off this list in an interrupt. */
	local_irq_save(flags);
	user_return_notifier_register(&hook->urn);
	local_irq_restore(flags);
	preempt_enable();
}

static void unwatch(struct cp_hook *hook)
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
	 * io_uring_enter() runs this while it waits and would wait on. It gives
	 * up for TIF_SIGPENDING, which get_signal() clears again when it finds
	 * no signal.
	 */
	if (!(current->flags & PF_EXITING) &&
	    !is_return_of_program(hook, current_pt_regs()))
		set_thread_flag(TIF_SIGPENDING);
	cp_pair_put(pair_of(hook));
	cp_unpin();
}

static bool is_due(const struct cp_hook *hook, const struct cp_pair *pair)
{
	return READ_ONCE(hook->wanted) || cp_pair_is_due(pair);
}

typedef bool (*capture_fn)(struct cp_pair *pair, struct pt_regs *regs,
			   struct cp_cause cause);

/* Captures @seen in one of the two ways. */
static __always_inline bool take(struct cp_hook *hook,
				 const struct pt_regs *regs,
				 struct pt_regs *seen, capture_fn capture)
{
	bool wanted = READ_ONCE(hook->wanted);

	/* Not later: the master that gets this one may ask for the next at once. */
	WRITE_ONCE(hook->wanted, false);
	if (!capture(pair_of(hook), seen, cause_of(hook, regs, seen))) {
		if (wanted)
			WRITE_ONCE(hook->wanted, true);
		return false;
	}
	hook->replayed = false;
	hook->faults = count_faults();
	return true;
}

/*
 * A replay repeats the return before it: these are the registers with which the
 * kernel was entered then.
 */
static struct pt_regs *as_entered(const struct cp_hook *hook,
				  struct pt_regs *regs, struct pt_regs *earlier)
{
	if (!hook->replayed || !same_state(regs, &hook->regs))
		return regs;
	*earlier = *regs;
	earlier->orig_ax = hook->regs.orig_ax;
	return earlier;
}

/* Captures this return to user mode; false when a signal comes first. */
static bool settle(struct cp_hook *hook, struct pt_regs *regs)
{
	struct pt_regs earlier, *seen = as_entered(hook, regs, &earlier);

	if (!take(hook, regs, seen, cp_pair_checkpoint))
		return false;
	hook->regs = *regs;
	return true;
}

static void foresee_death(struct cp_hook *hook, struct pt_regs *regs)
{
	struct pt_regs earlier, *seen = as_entered(hook, regs, &earlier);

	cp_pair_foresee_death(pair_of(hook), seen, cause_of(hook, regs, seen));
}

/* In the work: leaves these registers to the notifier. */
static void step_aside(struct cp_hook *hook, struct pt_regs *regs)
{
	if (signals_come_first())
		foresee_death(hook, regs);
	trace_step_aside(pair_of(hook));
}

/* In the work: what the master gets of this return, or of a death before it. */
static void serve_early(struct cp_hook *hook, struct pt_regs *regs)
{
	struct cp_pair *pair = pair_of(hook);

	hook->skipped = false;
	hook->settled = false;
	if (is_return_of_program(hook, regs)) {
		hook->skipped = !is_due(hook, pair);
		hook->settled = !hook->skipped && settle(hook, regs);
	}
	if (hook->skipped || hook->settled)
		hook->late = cp_pair_prefers_late(pair);
	else
		step_aside(hook, regs);
}

/* In the notifier: has the work dealt with these registers? */
static bool was_served(struct cp_hook *hook, const struct pt_regs *regs)
{
	bool served = hook->skipped ||
		      (hook->settled && same_state(regs, &hook->regs));

	/* A fault that is skipped says nothing about what comes next. */
	if (hook->skipped)
		hook->faults = count_faults();
	hook->skipped = false;
	hook->settled = false;
	return served;
}

/* In the notifier: deals with these registers, if that can be done here. */
static bool serve_late(struct cp_hook *hook, struct pt_regs *regs)
{
	struct cp_pair *pair = pair_of(hook);

	if (cp_pair_is_over(pair) || current->mm != pair->mm)
		return false;
	if (!is_due(hook, pair)) {
		hook->faults = count_faults();
		return true;
	}
	return take(hook, regs, regs, cp_pair_checkpoint_late);
}

/* Leaves these registers to the work of the interrupt that repeats them. */
static void postpone(struct cp_hook *hook, const struct pt_regs *regs)
{
	/* A replay that had to step aside again still repeats the same. */
	if (!hook->replayed || !same_state(regs, &hook->regs)) {
		hook->regs = *regs;
		hook->i386 = in_ia32_syscall();
	}
	hook->replayed = true;
	hook->late = false;
	trace_replay(pair_of(hook));
}

/* The work comes at the next return, or only when something else runs it. */
static void queue_work_again(struct cp_hook *hook)
{
	/* Cannot fail: a task that enters user mode is not exiting. */
	if (!hook->queued)
		task_work_add(current, &hook->work, TWA_NONE);
	hook->queued = true;
	if (!hook->late)
		set_notify_resume(current);
}

/*
 * In the notifier: a nudge has come since the checkpoint of these registers.
 * Were it to interrupt this return, it would get them once more; and the slave
 * would run no instruction at all beside a master that asks for each checkpoint
 * as soon as it has the last one. So it is given some time, and more if it has
 * not even got to user mode in that.
 */
static void renudge_later(struct cp_hook *hook, const struct pt_regs *regs)
{
	bool moved = !same_state(regs, &hook->renudged);

	hook->renudge_delay = moved ? RENUDGE_MIN :
			      min(2 * hook->renudge_delay, RENUDGE_MAX);
	hook->renudged = *regs;
	hrtimer_start(&hook->renudge, ns_to_ktime(hook->renudge_delay),
		      HRTIMER_MODE_REL_HARD);
}

static enum hrtimer_restart renudge(struct hrtimer *timer)
{
	struct cp_hook *hook = container_of(timer, struct cp_hook, renudge);

	if (READ_ONCE(hook->wanted))
		cp_hook_nudge(hook);
	return HRTIMER_NORESTART;
}

/* The last step before user mode, interrupts off. */
static void hook_user_return(struct user_return_notifier *urn)
{
	struct cp_hook *hook = container_of(urn, struct cp_hook, urn);
	struct pt_regs *regs = current_pt_regs();
	struct cp_pair *pair = pair_of(hook);
	bool served;

	/* The program runs again once the instruction has been stepped over. */
	if (is_stepping_over_uprobe()) {
		queue_work_again(hook);
		return;
	}
	pair->captured = false;
	pair->dying = false;
	served = was_served(hook, regs) ||
		 (hook->late && serve_late(hook, regs));
	if (served)
		pair->returns++;
	else
		postpone(hook, regs);
	/* The interrupt's exit wakes them, from the work. */
	if (cp_ring_owes_wake_up(&pair->ring))
		hook->late = false;
	queue_work_again(hook);

	/*
	 * mmap_read_unlock() may have woken a task that wants this CPU, and the
	 * check on the way to user mode is over.
	 */
	if (!served || cp_ring_owes_wake_up(&pair->ring) || cp_need_resched())
		irq_work_queue(this_cpu_ptr(&replay_irq));
	else if (READ_ONCE(hook->wanted))
		renudge_later(hook, regs);
}

static void exit_probe(CP_EXIT_PROBE_ARGS);

static void disable(void)
{
	lockdep_assert_held(&users_mutex);
	if (!enabled)
		return;
	tracepoint_probe_unregister(exit_tracepoint, exit_probe, NULL);
	preempt_notifier_dec();
	enabled = false;
}

static void disable_idle(struct work_struct *work)
{
	mutex_lock(&users_mutex);
	if (!atomic_read(&users))
		disable();
	mutex_unlock(&users_mutex);
}

static DECLARE_DELAYED_WORK(idle_work, disable_idle);

/* What every exit and every context switch on the machine has to pay for. */
static int enable_for_user(void)
{
	int ret = 0;

	mutex_lock(&users_mutex);
	if (!enabled) {
		ret = tracepoint_probe_register(exit_tracepoint, exit_probe,
						NULL);
		if (!ret)
			preempt_notifier_inc();
		enabled = !ret;
	}
	if (!ret)
		atomic_inc(&users);
	mutex_unlock(&users_mutex);
	return ret;
}

/* Patching code is slow: pairs that follow one another do it once. */
static void drop_user(void)
{
	if (atomic_dec_and_test(&users))
		schedule_delayed_work(&idle_work, IDLE_DELAY);
}

static void hook_work(struct callback_head *work)
{
	struct cp_hook *hook = container_of(work, struct cp_hook, work);
	struct cp_pair *pair = pair_of(hook);

	hook->queued = false;
	cp_ring_pay_wake_up(&pair->ring);
	cp_pair_slave_gone(pair);
	if (!cp_pair_is_over(pair))
		serve_early(hook, current_pt_regs());
	if (!cp_pair_is_over(pair)) {
		if (!hook->watching)
			watch(hook);
		return;
	}
	if (hook->watching)
		unwatch(hook);
	hrtimer_cancel(&hook->renudge);
	drop_user();
	cp_pair_unhooked(pair);
}

static void slave_exits(struct cp_pair *pair)
{
	struct cp_hook *hook = &pair->hook;

	if (!hook->watching)
		return;
	unwatch(hook);
	/* Cannot fail: exit_task_work() has not run yet. */
	if (!hook->queued)
		task_work_add(current, &hook->work, TWA_NONE);
}

static void exit_probe(CP_EXIT_PROBE_ARGS)
{
	cp_pair_task_exits(slave_exits);
}

/**
 * cp_hook_prepare - make a hook ready to be armed, or to be released unarmed
 * @hook: the hook, zeroed
 * @task: the task; stays until the pair is freed
 */
void cp_hook_prepare(struct cp_hook *hook, struct task_struct *task)
{
	hook->task = task;
	init_task_work(&hook->work, hook_work);
	init_task_work(&hook->nudge_work, nudge_work);
	raw_spin_lock_init(&hook->nudge_lock);
	hrtimer_setup(&hook->renudge, renudge, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	hook->urn.on_user_return = hook_user_return;
	preempt_notifier_init(&hook->pn, &hook_preempt_ops);
}

/**
 * cp_hook_arm - hook a task's returns to user mode
 * @hook: the hook, prepared
 *
 * The caller has taken the references that cp_pair_unhooked() drops.
 *
 * Return: 0; -ESRCH when the task is exiting; -ENOMEM.
 */
int cp_hook_arm(struct cp_hook *hook)
{
	int ret = enable_for_user();

	if (ret)
		return ret;
	/* The task may run and fault meanwhile; one fault more or less is harmless. */
	hook->faults = data_race(hook->task->min_flt + hook->task->maj_flt);
	hook->queued = true;

	ret = task_work_add(hook->task, &hook->work, TWA_RESUME);
	if (ret)
		drop_user();
	return ret;
}

/* The caller's reference on the pair keeps pair and module until the get. */
static void queue_nudge(struct cp_hook *hook)
{
	lockdep_assert_held(&hook->nudge_lock);
	if (test_and_set_bit(0, &hook->nudging))
		return;
	trace_nudge(pair_of(hook));
	cp_pair_get(pair_of(hook));
	cp_pin();
	if (!task_work_add(hook->task, &hook->nudge_work, TWA_SIGNAL))
		return;
	/* The slave is exiting, and the caller has a reference, so neither is the last. */
	clear_bit(0, &hook->nudging);
	cp_unpin();
	cp_pair_put(pair_of(hook));
}

/**
 * cp_hook_nudge - bring the task to its next return to user mode now
 * @hook: the hook
 *
 * Works like a signal, without being one: interruptible sleeps end, and are
 * restarted or not as after a handler with SA_RESTART. Does nothing once
 * cp_hook_release() has been called. Any context.
 */
void cp_hook_nudge(struct cp_hook *hook)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&hook->nudge_lock, flags);
	if (!hook->released) {
		/* Even if an earlier nudge is queued: it may have been served. */
		WRITE_ONCE(hook->wanted, true);
		queue_nudge(hook);
	}
	raw_spin_unlock_irqrestore(&hook->nudge_lock, flags);
}

/**
 * cp_hook_release - no nudge reaches the task from here on
 * @hook: the hook
 *
 * For the end of a pair: a call that the task makes after that must not fail
 * with EINTR because of a nudge. Any context.
 */
void cp_hook_release(struct cp_hook *hook)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&hook->nudge_lock, flags);
	hook->released = true;
	raw_spin_unlock_irqrestore(&hook->nudge_lock, flags);
}

static void match_exit_tracepoint(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "sched_process_exit"))
		exit_tracepoint = tp;
}

/**
 * cp_hook_init - find what the hook hangs on
 *
 * Return: 0, or -ENODEV, which has been logged.
 */
int cp_hook_init(void)
{
	int cpu;

	/* Else irq_work waits for a tick, and a return may go by unseen. */
	if (!arch_irq_work_has_interrupt()) {
		pr_err("this machine's processors cannot interrupt themselves: no local APIC\n");
		return -ENODEV;
	}

	/* Not statically: addresses in a module's per-CPU data stay 0. */
	for_each_possible_cpu(cpu)
		per_cpu(replay_irq, cpu) = IRQ_WORK_INIT_HARD(replay_interrupt);

	for_each_kernel_tracepoint(match_exit_tracepoint, NULL);
	if (!exit_tracepoint) {
		pr_err("this kernel has no tracepoint sched_process_exit\n");
		return -ENODEV;
	}
	return 0;
}

/**
 * cp_hook_exit - leave nothing behind
 *
 * No hook is left, for each holds the module.
 */
void cp_hook_exit(void)
{
	cancel_delayed_work_sync(&idle_work);
	mutex_lock(&users_mutex);
	disable();
	mutex_unlock(&users_mutex);
	/* A probe, a notifier or a replay may be in its last instructions, */
	tracepoint_synchronize_unregister();
	/* and a task preempted in those of a work that dropped the module. */
	synchronize_rcu_tasks();
}
