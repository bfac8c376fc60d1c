// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread of the slave that sleeps in a system call: sleeper.h.
 */
#include <linux/checkpoint.h>
#include <linux/errno.h>
#include <linux/kcsan-checks.h>
#include <linux/sched/task_stack.h>
#include <linux/thread_info.h>
#include <asm/syscall.h>

#include "capture.h"
#include "compat.h"
#include "sleeper.h"

/* The length of each instruction that makes a system call. */
#define SYSCALL_INSN_SIZE	2

/* Increases each time the task leaves its CPU. */
static u64 task_count_switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/**
 * cp_sleeper_is_asleep - does a thread sleep where a signal would wake it?
 * @task: the thread, which has not got as far in exiting as to lose its stack
 *
 * The entry code leaves -ENOSYS in RAX until the call has returned. So this is not true
 * of a thread on its way to user mode, which sleeps in the same state while it waits for
 * its master or is frozen.
 *
 * Return: true when it did; it may wake at any time. Any context.
 */
bool cp_sleeper_is_asleep(const struct task_struct *task)
{
	struct task_struct *t = (struct task_struct *)task;
	struct pt_regs *regs = task_pt_regs(t);

	if (!(READ_ONCE(task->__state) & TASK_INTERRUPTIBLE) ||
	    !cp_task_is_off_cpu(task))
		return false;
	/* data_race(): if the task wakes meanwhile, any answer is right. */
	return data_race(syscall_get_nr(t, regs) != -1 &&
			 syscall_get_error(t, regs) == -ENOSYS);
}

/* The state from which the thread would make its call again. */
static void regs_rewind_call(struct cp_regs *regs)
{
	regs->rip -= SYSCALL_INSN_SIZE;
	regs->rax = regs->orig_rax;
}

/**
 * cp_sleeper_capture - read the registers of a thread that sleeps
 * @task: the thread, as for cp_sleeper_is_asleep()
 * @nr: its id for the master
 * @sleeper: filled in, even if the result is false
 *
 * Return: false when it did not sleep all the time. Any context.
 */
bool cp_sleeper_capture(struct task_struct *task, s32 nr,
			struct cp_sleeper *sleeper)
{
	struct cp_checkpoint *checkpoint = &sleeper->checkpoint;
	struct cp_cause cause = {
		.entry = CP_ENTRY_SYSCALL,
		.i386 = task_thread_info(task)->status & TS_COMPAT,
	};

	sleeper->switches = task_count_switches(task);
	if (!cp_sleeper_is_asleep(task))
		return false;
	/* If it wakes and changes them, they are not used. */
	kcsan_disable_current();
	cp_capture_other(checkpoint, task, cause, nr);
	kcsan_enable_current();
	regs_rewind_call(&checkpoint->regs);
	checkpoint->flags |= CP_CHECKPOINT_ASLEEP;
	/* The registers are read before the check; it may have run and be asleep again. */
	smp_rmb();
	return cp_sleeper_is_asleep(task) &&
	       task_count_switches(task) == sleeper->switches;
}
