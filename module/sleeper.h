/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread of the slave that sleeps in a system call. Its registers can be read from
 * outside: it executes nothing, and when it wakes it has to pass the gate.
 */
#ifndef _CP_SLEEPER_H
#define _CP_SLEEPER_H

#include <linux/types.h>

struct cp_sleeper;
struct task_struct;

/* The length of each instruction that makes a system call. */
#define CP_SYSCALL_INSN_SIZE	2

bool cp_sleeper_is_asleep(const struct task_struct *task);
bool cp_sleeper_capture(struct task_struct *task, s32 nr,
			struct cp_sleeper *sleeper);

u64 cp_sleeper_switches(const struct task_struct *task);
bool cp_sleeper_waits_for_children(struct task_struct *task);
bool cp_sleeper_may_repeat(struct task_struct *task);

#endif /* _CP_SLEEPER_H */
