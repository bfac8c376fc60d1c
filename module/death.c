// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the current task is about to die: death.h.
 */
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>

#include "death.h"

/* The kernel delivers the task's own faults before other signals. */
static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS };

/* The caller is the task, so its sighand stays. */
static struct sighand_struct *current_sighand(void)
{
	return rcu_dereference_protected(current->sighand, true);
}

static bool signal_kills(int sig)
{
	lockdep_assert_held(&current_sighand()->siglock);
	return current_sighand()->action[sig - 1].sa.sa_handler == SIG_DFL &&
	       !sig_kernel_ignore(sig);
}

static void find_pending(sigset_t *set)
{
	lockdep_assert_held(&current_sighand()->siglock);
	sigorsets(set, &current->pending.signal,
		  &current->signal->shared_pending.signal);
	sigandnsets(set, set, &current->blocked);
}

static bool is_group_exiting(void)
{
	return current->signal->flags & SIGNAL_GROUP_EXIT;
}

/* The signal that will probably kill; 0 for none. */
static int find_signal(sigset_t *pending)
{
	unsigned int i;
	int sig;

	/* SIGKILL is pending in each thread; the exit code has the signal that killed. */
	if (is_group_exiting())
		return current->signal->group_exit_code & 0x7f;
	/* Even with a handler: its frame may not fit on the stack. */
	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (sigismember(pending, faults[i]))
			return faults[i];
	for (sig = 1; sig <= _NSIG; sig++)
		if (sigismember(pending, sig) && signal_kills(sig))
			return sig;
	return 0;
}

/* Is the task about to stop in a place where it can be killed unforeseen? */
static bool is_stopping(sigset_t *pending)
{
	int sig;

	if (current->jobctl & (JOBCTL_TRAP_MASK | JOBCTL_TRAP_FREEZE |
			       JOBCTL_STOP_PENDING))
		return true;
	for (sig = 1; sig < SIGRTMIN; sig++)
		if (sig_kernel_stop(sig) && sigismember(pending, sig))
			return true;
	return false;
}

/* Does siginfo hold an address? */
static bool has_address(int sig, int code)
{
	switch (sig) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGTRAP:
	case SIGFPE:
		return code > 0;
	default:
		return false;
	}
}

static void find_info(struct cp_death *death, const struct sigpending *pending)
{
	const struct sigqueue *queued;

	lockdep_assert_held(&current_sighand()->siglock);
	list_for_each_entry(queued, &pending->list, list) {
		if (queued->info.si_signo != death->signal)
			continue;
		death->code = queued->info.si_code;
		if (has_address(death->signal, death->code))
			death->addr = (unsigned long)queued->info.si_addr;
		return;
	}
}

/*
 * A thread that dumps core has dequeued its signal, and ends all others; it then
 * waits until they have exited, so @dumper is valid while @core_state is. A fatal
 * signal that dumps no core stays queued where it was sent to, because SIGKILL
 * comes before it: for the process, or for one thread.
 */
static void find_thread(struct cp_death *death, sigset_t *pending,
			struct pid_namespace *ns)
{
	const struct core_state *core = current->signal->core_state;

	lockdep_assert_held(&current_sighand()->siglock);
	if (!is_group_exiting() || !death->signal || death->signal == SIGKILL)
		return;
	death->elsewhere = sig_kernel_coredump(death->signal) ||
			   !sigismember(pending, death->signal);
	if (!death->elsewhere)
		return;
	death->code = 0;
	death->addr = 0;
	if (core)
		death->thread = task_pid_nr_ns(core->dumper.task, ns);
}

/**
 * cp_death_foreseen - may the current task die before it enters user mode?
 * @death: filled in as far as it is known now
 * @ns: the pid namespace of the master
 *
 * Return: true when it may.
 */
bool cp_death_foreseen(struct cp_death *death, struct pid_namespace *ns)
{
	sigset_t pending, all;
	bool foreseen;

	memset(death, 0, sizeof(*death));
	spin_lock_irq(&current_sighand()->siglock);
	find_pending(&pending);
	/* A blocked signal may have ended the process, too. */
	sigorsets(&all, &current->pending.signal,
		  &current->signal->shared_pending.signal);
	death->signal = find_signal(&pending);
	find_info(death, &current->signal->shared_pending);
	find_info(death, &current->pending);
	find_thread(death, &all, ns);
	death->stopping = !is_group_exiting() && is_stopping(&pending);
	foreseen = death->signal || death->stopping ||
		   (!is_group_exiting() && !sigisemptyset(&pending));
	spin_unlock_irq(&current_sighand()->siglock);
	return foreseen;
}

/**
 * cp_death_was_elsewhere - did another thread receive the fatal signal?
 * @signal: the signal of which the current task, which is exiting, dies
 * @stopped: the task may have been stopped when the signal came
 *
 * The task's own faults are always foreseen: the hook's work is queued while the
 * task is in user mode. A fatal signal that dumps no core is still queued where it was
 * sent to; see find_thread(). It is not if the threads were stopped: then one of them
 * dequeues it after SIGCONT, and it is not known which one.
 *
 * Return: true when another one did; false if it is not known.
 */
bool cp_death_was_elsewhere(int signal, bool stopped)
{
	sigset_t pending;

	if (sig_kernel_coredump(signal))
		return get_nr_threads(current) > 1 &&
		       !(current->flags & PF_DUMPCORE);
	if (signal == SIGKILL || !is_group_exiting() || current->ptrace ||
	    stopped)
		return false;
	spin_lock_irq(&current_sighand()->siglock);
	sigorsets(&pending, &current->pending.signal,
		  &current->signal->shared_pending.signal);
	spin_unlock_irq(&current_sighand()->siglock);
	return !sigismember(&pending, signal);
}
