// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a thread: state.h. Another context sets it, while the thread has left its
 * CPU: what the processor holds is in memory then.
 */
#include <linux/checkpoint.h>
#include <linux/cred.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <asm/segment.h>
#include <asm/user.h>

#include "capture.h"
#include "compat.h"
#include "sleeper.h"
#include "state.h"

/**
 * cp_state_save - keep the state of a thread
 * @state: filled in
 * @task: the thread, which does not run
 * @index: of its description
 *
 * Any context.
 */
void cp_state_save(struct cp_state *state, struct task_struct *task,
		   unsigned int index)
{
	state->pid = get_pid(task_pid(task));
	state->index = index;
	state->cred = get_task_cred(task);
	/* data_race(): if a thread that sleeps wakes meanwhile, this is not used. */
	state->restart = data_race(task->restart_block);
	state->robust_list = cp_task_robust_list(task);
	state->clear_child_tid = task->clear_child_tid;
	state->rseq = cp_task_rseq(task);
}

/**
 * cp_state_free - drop what cp_state_save() holds
 * @state: the state
 */
void cp_state_free(struct cp_state *state)
{
	put_pid(state->pid);
	put_cred(state->cred);
}

static bool has_changed_credentials(const struct cp_state *state,
				    struct task_struct *task)
{
	const struct cred *cred = get_task_cred(task);
	bool same = cred == state->cred;

	put_cred(cred);
	return !same;
}

static bool is_64bit(const struct cp_regs *regs)
{
	return regs->cs == __USER_CS;
}

/**
 * cp_state_check - can a thread get this state?
 * @state: the state
 * @task: the thread, which waits at the gate
 * @then: its description
 *
 * Any context.
 *
 * Return: 0; -EKEYREJECTED when the thread has other credentials now; -ENOLCK when it holds
 * a futex with priority inheritance for which another process waits; -EOPNOTSUPP when it
 * executes 32-bit code, or has a shadow stack, then or now.
 */
int cp_state_check(const struct cp_state *state, struct task_struct *task,
		   const struct cp_snapshot_thread *then)
{
	if (has_changed_credentials(state, task))
		return -EKEYREJECTED;
	if (cp_task_holds_pi_futex(task))
		return -ENOLCK;
	if (!is_64bit(&then->checkpoint.regs) ||
	    task_pt_regs(task)->cs != __USER_CS || cp_task_has_shadow_stack(task) ||
	    then->xstate_size != cp_xstate_size())
		return -EOPNOTSUPP;
	return 0;
}

static const struct user_regset *find_general(struct task_struct *task)
{
	const struct user_regset_view *view = task_user_regset_view(task);
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == NT_PRSTATUS)
			return &view->regsets[i];
	return NULL;
}

static int regset_set(struct task_struct *task, const struct user_regset *regset,
		      const void *from, size_t size)
{
	if (!regset)
		return -ENODEV;
	return regset->set(task, regset, 0, size, from, NULL);
}

/* No system call is to be restarted: the registers are those after that. */
static int restore_general(struct task_struct *task, const struct cp_regs *then)
{
	struct cp_regs regs = *then;

	static_assert(sizeof(regs) == sizeof(struct user_regs_struct));
	regs.orig_rax = -1;
	return regset_set(task, find_general(task), &regs, sizeof(regs));
}

/* A signal that is pending may be for this thread now. */
static void restore_signals(struct task_struct *task,
			    const struct cp_snapshot_thread *then)
{
	/* A thread that waits at the gate has not exited. */
	struct sighand_struct *sighand = rcu_dereference_protected(task->sighand, true);

	task->sas_ss_sp = then->altstack_addr;
	task->sas_ss_size = then->altstack_size;
	task->sas_ss_flags = then->altstack_flags;
	spin_lock_irq(&sighand->siglock);
	clear_tsk_restore_sigmask(task);
	task->blocked.sig[0] = then->sigmask;
	set_tsk_thread_flag(task, TIF_SIGPENDING);
	spin_unlock_irq(&sighand->siglock);
}

/* Has the thread, which was off its CPU with this count of switches, run since? */
static bool has_run(struct task_struct *task, u64 switches)
{
	/* What the caller has written to the thread was written before this look. */
	smp_mb();
	return !cp_task_is_off_cpu(task) || cp_sleeper_switches(task) != switches;
}

/**
 * cp_state_restore_xstate - give a thread floating point and vector registers
 * @task: the thread, which waits at the gate, or is being killed; the caller has a reference
 * @xstate: the registers
 * @size: their size; cp_state_check() has accepted it
 *
 * A thread that runs in the kernel after that keeps them. May sleep. May be repeated.
 *
 * Return: 0; -EAGAIN when the thread was on a CPU meanwhile: try again; or an error of the
 * kernel, which has not accepted a register.
 */
int cp_state_restore_xstate(struct task_struct *task, const void *xstate, size_t size)
{
	u64 switches = cp_sleeper_switches(task);
	int ret;

	if (!cp_task_is_off_cpu(task))
		return -EAGAIN;
	ret = regset_set(task, cp_xstate_regset(), xstate, size);
	if (ret)
		return ret;
	return has_run(task, switches) ? -EAGAIN : 0;
}

/**
 * cp_state_restore - give a thread the rest of this state
 * @state: the state
 * @task: the thread, which waits at the gate; cp_state_check() has accepted it
 * @then: its description
 *
 * Does not sleep. May be repeated.
 *
 * Return: as cp_state_restore_xstate().
 */
int cp_state_restore(const struct cp_state *state, struct task_struct *task,
		     const struct cp_snapshot_thread *then)
{
	u64 switches = cp_sleeper_switches(task);
	int ret;

	if (!cp_task_is_off_cpu(task))
		return -EAGAIN;
	ret = restore_general(task, &then->checkpoint.regs);
	if (ret)
		return ret;
	restore_signals(task, then);
	task->restart_block = state->restart;
	cp_task_set_robust_list(task, state->robust_list);
	task->clear_child_tid = state->clear_child_tid;
	cp_task_set_rseq(task, state->rseq);
	/* If it ran, it has saved other segment bases after these were written. */
	return has_run(task, switches) ? -EAGAIN : 0;
}
