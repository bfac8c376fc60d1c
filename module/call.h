/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls: what a thread of the slave executes for the master, while it waits at the gate and
 * all others are held. The gate is bolted meanwhile (gate.h).
 *
 * A call is under way from its first change to its last. Meanwhile another master cannot
 * pair with the process: it would find a thread with registers that are not the program's.
 */
#ifndef _CP_CALL_H
#define _CP_CALL_H

#include <linux/list.h>
#include <linux/types.h>

struct cp_call;
struct cp_pair;
struct pt_regs;
struct task_struct;

/**
 * struct cp_call_ops - a kind of call
 * @step:	thread: the next step, at a return to user mode with final registers. True
 *		when the thread has to enter user mode with @regs, which this has set; false
 *		when it is done, and @regs are its program's
 * @over:	thread: it does not execute the call any more, and can be found by another
 *		master after cp_call_end(). @result: what made it leave before the end; 0 if
 *		@step has returned false. The last use of the call by the thread
 */
struct cp_call_ops {
	bool (*step)(struct cp_call *call, struct cp_pair *pair, struct pt_regs *regs);
	void (*over)(struct cp_call *call, struct cp_pair *pair, int result);
};

/**
 * struct cp_call - a call
 * @ops:	its kind
 * @node:	in the list of calls under way
 * @thread:	with @node: the task that executes it
 */
struct cp_call {
	const struct cp_call_ops *ops;
	struct list_head node;
	struct task_struct *thread;
};

void cp_call_init(struct cp_call *call, const struct cp_call_ops *ops);
bool cp_call_begin(struct cp_call *call, const struct cp_pair *pair);
void cp_call_end(struct cp_call *call);
struct cp_call *cp_call_of_current(const struct cp_call_ops *ops);
bool cp_call_is_under_way(struct task_struct *task);

#endif /* _CP_CALL_H */
