/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Permission to be the master of a task: the kernel's own rule, applied by the
 * kernel itself.
 *
 * Opening /proc/PID/mem is where the kernel asks whether the opener may attach
 * to PID as a debugger (PTRACE_MODE_ATTACH: credentials, dumpability, user
 * namespaces, Yama and the other security modules). The open file remembers
 * the memory it was granted, and an exec of the target replaces that memory, so
 * a descriptor of such a file proves nothing about the next program. The answer
 * may change without an exec, too: the file is opened again when the descriptor
 * is offered.
 */
#ifndef _CP_ACCESS_H
#define _CP_ACCESS_H

#include <linux/types.h>

struct mm_struct;
struct task_struct;

int cp_access_init(void);
int cp_access_check(int mem_fd, struct task_struct *task,
		    const struct mm_struct *mm, bool *may_write);

#endif /* _CP_ACCESS_H */
