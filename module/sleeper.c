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
#include <asm/unistd.h>

#include "capture.h"
#include "compat.h"
#include "sleeper.h"

/**
 * cp_sleeper_switches - how many times a task has left a CPU
 * @task: the task
 *
 * Return: their number.
 */
u64 cp_sleeper_switches(const struct task_struct *task)
{
	return READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
}

/**
 * cp_sleeper_is_asleep - does a thread sleep where a signal would wake it?
 * @task: the thread, whose kernel stack is not released yet
 *
 * The entry code leaves -ENOSYS in RAX until the call has returned. So this is not true
 * of a thread on its way to user mode, which sleeps in the same state while it waits for
 * its master or is frozen.
 *
 * Any context.
 *
 * Return: true when it did; it may wake at any time.
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
	regs->rip -= CP_SYSCALL_INSN_SIZE;
	regs->rax = regs->orig_rax;
}

/**
 * cp_sleeper_capture - read the registers of a thread that sleeps
 * @task: the thread, as for cp_sleeper_is_asleep()
 * @nr: its id for the master
 * @sleeper: filled in, even if the result is false
 *
 * Any context.
 *
 * Return: false when the thread did not sleep all the time.
 */
bool cp_sleeper_capture(struct task_struct *task, s32 nr,
			struct cp_sleeper *sleeper)
{
	struct cp_checkpoint *checkpoint = &sleeper->checkpoint;
	struct cp_cause cause = {
		.entry = CP_ENTRY_SYSCALL,
		.i386 = task_thread_info(task)->status & TS_COMPAT,
	};

	sleeper->switches = cp_sleeper_switches(task);
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
	       cp_sleeper_switches(task) == sleeper->switches;
}

/* Numbers of the i386 ABI. */
#define I386_WAITPID	7
#define I386_WAIT4	114
#define I386_WAITID	284

/*
 * The call in which a thread sleeps, if it is one of the x86-64 ABI, and -1 otherwise. If the
 * thread wakes meanwhile, any answer is right.
 */
static int sleeper_call(struct task_struct *task)
{
	/* data_race(): see above. */
	if (data_race(task_thread_info(task)->status & TS_COMPAT))
		return -1;
	/* data_race(): see above. */
	return data_race(syscall_get_nr(task, task_pt_regs(task)));
}

/**
 * cp_sleeper_waits_for_children - does a thread sleep in a call that could find a child?
 * @task: the thread, as for cp_sleeper_is_asleep()
 *
 * Return: true when it does; also for each call of the i386 ABI.
 */
bool cp_sleeper_waits_for_children(struct task_struct *task)
{
	int nr = sleeper_call(task);

	return nr == -1 || nr == __NR_wait4 || nr == __NR_waitid;
}

/* Does the call, which returns EINTR after any signal, have no timeout? */
static bool is_without_timeout(int nr, const struct pt_regs *regs)
{
	switch (nr) {
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
		return (int)regs->r10 < 0;
	case __NR_epoll_pwait2:
	case __NR_semtimedop:
		return !regs->r10;
	case __NR_rt_sigtimedwait:
		return !regs->dx;
	default:
		return false;
	}
}

/* Calls that lose nothing when they are restarted, or made again with the same arguments. */
static const u16 repeatable[] = {
	__NR_accept, __NR_accept4, __NR_clock_nanosleep, __NR_futex, __NR_msgrcv,
	__NR_nanosleep, __NR_pause, __NR_poll, __NR_ppoll, __NR_pselect6,
	__NR_read, __NR_restart_syscall, __NR_rt_sigsuspend, __NR_select,
	__NR_semop, __NR_wait4, __NR_waitid,
};

/**
 * cp_sleeper_may_repeat - can a thread be brought out of its system call, and back?
 * @task: the thread, as for cp_sleeper_is_asleep()
 *
 * The kernel restarts most of these calls itself, with what is left of their time. Others
 * return EINTR, and slave_conceal() makes them again; with a timeout they would wait longer
 * than that, so they must not have one. Calls that may have moved a part of their data are
 * not repeated, except read(2): it returns that part if it waits for more, which few programs
 * ask for.
 *
 * Return: true when it can.
 */
bool cp_sleeper_may_repeat(struct task_struct *task)
{
	int nr = sleeper_call(task);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(repeatable); i++)
		if (nr == repeatable[i])
			return true;
	/* data_race(): if the thread wakes meanwhile, any answer is right. */
	return data_race(is_without_timeout(nr, task_pt_regs(task)));
}
