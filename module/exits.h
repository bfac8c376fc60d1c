/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits of tasks, and what tasks outside any pair pay for the module: the probe
 * on sched_process_exit costs at each exit, and preempt notifiers cost at each
 * context switch of the machine. Both are enabled while hooks are armed and for
 * a moment afterwards.
 */
#ifndef _CP_EXITS_H
#define _CP_EXITS_H

int cp_exits_init(void (*task_exits)(void));
void cp_exits_exit(void);
int cp_exits_enable(void);
void cp_exits_disable(void);

#endif /* _CP_EXITS_H */
