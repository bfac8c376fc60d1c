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
#include <linux/workqueue.h>
#include <asm/syscall.h>

#include "compat.h"
#include "pair.h"
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
 * Is the system call not done with? Either it has not run: whoever runs task
 * work in the middle of one (a debugger's stop at its entry, io_uring, KVM
 * before it enters a guest) leaves the -ENOSYS that the entry code put there.
 * Or it is to be restarted, and the signal code has yet to set that up. A call
 * that really ends like this is only seen a moment later, in the replay.
 */
static bool mid_syscall(struct pt_regs *regs)
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

static u32 entry_kind(const struct cp_hook *hook, struct pt_regs *regs)
{
	if (syscall_get_nr(current, regs) != -1)
		return CP_ENTRY_SYSCALL;
	return count_faults() != hook->faults ? CP_ENTRY_FAULT :
						CP_ENTRY_INTERRUPT;
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

	/* Being run took the task out of its system call, if it was in one. */
	clear_bit(0, &hook->nudging);
	cp_pair_put(pair_of(hook));
	module_put(THIS_MODULE);
}

static bool is_due(const struct cp_hook *hook, const struct cp_pair *pair)
{
	return READ_ONCE(hook->wanted) || cp_pair_is_due(pair);
}

/* One of the two ways to take a checkpoint of these registers. */
static __always_inline bool take(struct cp_hook *hook, struct pt_regs *regs,
				 bool (*checkpoint)(struct cp_pair *pair,
						    struct pt_regs *regs,
						    u32 entry))
{
	bool wanted = READ_ONCE(hook->wanted);

	/* Not later: who gets this one may ask for the next at once. */
	WRITE_ONCE(hook->wanted, false);
	if (!checkpoint(pair_of(hook), regs, entry_kind(hook, regs))) {
		if (wanted)
			WRITE_ONCE(hook->wanted, true);
		return false;
	}
	hook->replayed = false;
	hook->faults = count_faults();
	return true;
}

/*
 * Is there something to act on before user mode? A task that its cgroup freezes
 * sleeps with signals pending and the flag cleared: a pair may be made then.
 */
static bool signals_come_first(void)
{
	return task_sigpending(current) || cgroup_task_frozen(current);
}

/* A replay repeats what happened before it: these registers say what that was. */
static struct pt_regs *as_entered(const struct cp_hook *hook,
				  struct pt_regs *regs, struct pt_regs *earlier)
{
	if (!hook->replayed || !same_state(regs, &hook->regs))
		return regs;
	*earlier = *regs;
	earlier->orig_ax = hook->regs.orig_ax;
	return earlier;
}

/* Takes the checkpoint of this return to user mode, if this is one. */
static bool settle(struct cp_hook *hook, struct pt_regs *regs)
{
	struct pt_regs earlier, *seen = as_entered(hook, regs, &earlier);

	/* They may lead into a handler. */
	if (signals_come_first() || mid_syscall(regs))
		return false;
	if (!take(hook, seen, cp_pair_checkpoint))
		return false;
	hook->regs = *regs;
	return true;
}

static void foresee_death(struct cp_hook *hook, struct pt_regs *regs)
{
	struct pt_regs earlier, *seen = as_entered(hook, regs, &earlier);

	cp_pair_foresee_death(pair_of(hook), seen, entry_kind(hook, seen));
}

/* In the work: what the master gets of this return, or of a death before it. */
static void serve_early(struct cp_hook *hook, struct pt_regs *regs)
{
	struct cp_pair *pair = pair_of(hook);

	hook->skipped = !is_due(hook, pair);
	hook->settled = !hook->skipped && settle(hook, regs);
	if (hook->skipped || hook->settled)
		hook->late = cp_pair_prefers_late(pair);
	if (hook->settled)
		return;
	if (signals_come_first())
		foresee_death(hook, regs);
	if (!hook->skipped)
		trace_step_aside(pair);
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
	return take(hook, regs, cp_pair_checkpoint_late);
}

/* Leaves these registers to the work of the interrupt that repeats them. */
static void postpone(struct cp_hook *hook, const struct pt_regs *regs)
{
	/* A replay that had to step aside again still repeats the same. */
	if (!hook->replayed || !same_state(regs, &hook->regs))
		hook->regs = *regs;
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

	pair->captured = false;
	pair->dying = false;
	served = was_served(hook, regs) ||
		 (hook->late && serve_late(hook, regs));
	if (served)
		pair->returns++;
	else
		postpone(hook, regs);
	queue_work_again(hook);

	/* What a late checkpoint has woken may want the CPU: nobody looks now. */
	if (!served || need_resched())
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
 * cp_hook_arm - hook a task's returns to user mode
 * @hook: the hook, zeroed but for its task
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
	init_task_work(&hook->work, hook_work);
	init_task_work(&hook->nudge_work, nudge_work);
	hrtimer_setup(&hook->renudge, renudge, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	hook->urn.on_user_return = hook_user_return;
	preempt_notifier_init(&hook->pn, &hook_preempt_ops);
	/* It may run: then a fault more or less is no matter. */
	hook->faults = data_race(hook->task->min_flt + hook->task->maj_flt);
	hook->queued = true;

	ret = task_work_add(hook->task, &hook->work, TWA_RESUME);
	if (ret)
		drop_user();
	return ret;
}

/**
 * cp_hook_nudge - bring the task to its next return to user mode now
 * @hook: the hook
 *
 * Works like a signal, without being one: interruptible sleeps end, and are
 * restarted or not as after a handler with SA_RESTART.
 */
void cp_hook_nudge(struct cp_hook *hook)
{
	struct cp_pair *pair = pair_of(hook);

	/* Also when an earlier nudge is still under way: that has been served. */
	WRITE_ONCE(hook->wanted, true);
	if (test_and_set_bit(0, &hook->nudging))
		return;
	trace_nudge(pair);
	cp_pair_get(pair);
	__module_get(THIS_MODULE);
	if (!task_work_add(hook->task, &hook->nudge_work, TWA_SIGNAL))
		return;
	clear_bit(0, &hook->nudging);
	module_put(THIS_MODULE);
	cp_pair_put(pair);
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
