/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks that begin and exit, and what tasks outside any pair pay for the module: the
 * probe on sched_process_exit costs at each exit, the one on sched_process_fork at
 * each fork, and preempt notifiers cost at each context switch of the machine. They
 * are enabled while pairs need them and for a moment afterwards.
 */
#ifndef _CP_TASKS_H
#define _CP_TASKS_H

#include <linux/types.h>

struct task_struct;

/**
 * struct cp_tasks_ops - what is called while it is enabled, in atomic context
 * @exits:	by each task that exits
 * @forks:	by each task that creates another, before that one runs
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
