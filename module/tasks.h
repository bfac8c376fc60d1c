/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks that begin and exit, and what tasks outside any pair pay for the module: the probe
 * on sched_process_exit runs at each exit, the probe on sched_process_fork at each fork, and
 * preempt notifiers are checked at each context switch of the machine. All three are enabled
 * while pairs need them and for a moment afterwards.
 */
#ifndef _CP_TASKS_H
#define _CP_TASKS_H

#include <linux/types.h>

struct task_struct;

/**
 * struct cp_tasks_ops - callbacks of the probes, in atomic context
 * @exits:	called by each task that exits
 * @forks:	called by each task that creates another one, before @child runs
 */
struct cp_tasks_ops {
	void (*exits)(void);
	void (*forks)(struct task_struct *child);
};

int cp_tasks_init(const struct cp_tasks_ops *ops);
void cp_tasks_exit(void);
int cp_tasks_watch(bool forks);
void cp_tasks_unwatch(bool forks);

#endif /* _CP_TASKS_H */
