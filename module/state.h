/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a thread: what a snapshot has to keep of it beside its description, because
 * only the kernel may know it, and how a thread gets the state of a snapshot again.
 */
#ifndef _CP_STATE_H
#define _CP_STATE_H

#include <linux/restart_block.h>
#include <linux/types.h>

#include "compat.h"

struct cp_snapshot_thread;
struct cred;
struct pid;
struct task_struct;

/**
 * struct cp_state - what the kernel keeps of a thread
 * @pid:	its id, which no other thread gets while this is held
 * @index:	of its description
 * @cred:	its credentials
 * @restart:	what restart_syscall(2) continues
 * @robust_list: as in task_struct
 * @clear_child_tid: likewise
 * @rseq:	likewise
 */
struct cp_state {
	struct pid *pid;
	unsigned int index;
	const struct cred *cred;
	struct restart_block restart;
	struct cp_robust_list robust_list;
	int __user *clear_child_tid;
	struct cp_rseq rseq;
};

void cp_state_save(struct cp_state *state, struct task_struct *task,
		   unsigned int index);
void cp_state_free(struct cp_state *state);
int cp_state_check(const struct cp_state *state, struct task_struct *task,
		   const struct cp_snapshot_thread *then);
int cp_state_restore_xstate(struct task_struct *task, const void *xstate, size_t size);
int cp_state_restore(const struct cp_state *state, struct task_struct *task,
		     const struct cp_snapshot_thread *then);

#endif /* _CP_STATE_H */
