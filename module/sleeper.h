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

bool cp_sleeper_is_asleep(const struct task_struct *task);
bool cp_sleeper_capture(struct task_struct *task, s32 nr,
			struct cp_sleeper *sleeper);

#endif /* _CP_SLEEPER_H */
