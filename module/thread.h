/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread of a slave: its hook, and what it is about to hand over.
 *
 * A struct cp_thread begins when its hook is armed: by the master that makes the pair, or,
 * for a thread that the slave creates later, by the creator before the new thread runs.
 * It ends in the hook's last work, in the thread's own context. A thread that sleeps may
 * not have noticed that its pair is over: its task may be a thread of the next pair
 * already.
 *
 * References
 * ----------
 *	the hook	from cp_thread_init() to the last call of its work
 *	a nudge		while its work is queued
 * Each thread holds its pair and its task.
 */
#ifndef _CP_THREAD_H
#define _CP_THREAD_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "capture.h"
#include "death.h"
#include "hook.h"

struct cp_newcomer;
struct cp_pair;
struct cp_part;
struct pid;
struct task_struct;

/**
 * struct cp_thread - a thread of a slave; once the hook is armed, only the thread
 *	itself writes it
 * @refs:	see above
 * @rcu:	for lookups
 * @node:	in the table of threads
 * @pair:	its pair
 * @hook:	the hook on its returns to user mode; holds the task
 * @pid:	its id
 * @nr:		its id for the master
 * @part:	what it writes; NULL before its first return to user mode, if the thread
 *		was created after the pair
 * @spare:	memory for a thread that it may create
 * @spare_child: memory for a child that it may create
 * @created:	a spare has been used, and is replaced in the next work
 * @over:	it is not a slave any more, or has got no part
 * @returns:	number of its returns to user mode
 * @next_time:	time before which no checkpoint is due, CLOCK_MONOTONIC in nanoseconds
 * @light:	the last early capture was small enough for a late one
 * @cause:	what brought it into the kernel, as of the last early capture
 * @captured:	its current state has been handed over
 * @dying:	a state that may be its last has been saved
 * @death:	with @dying: the signal that announced the death
 */
struct cp_thread {
	refcount_t refs;
	struct rcu_head rcu;
	struct hlist_node node;
	struct cp_pair *pair;
	struct cp_hook hook;
	struct pid *pid;
	s32 nr;
	struct cp_part *part;
	struct cp_thread *spare;
	struct cp_newcomer *spare_child;
	bool created;
	bool over;
	u64 returns;
	u64 next_time;
	bool light;
	struct cp_cause cause;
	bool captured;
	bool dying;
	struct cp_death death;
};

struct cp_thread *cp_thread_alloc(gfp_t gfp);
bool cp_thread_add(struct cp_thread *thread, struct cp_pair *pair,
		   struct task_struct *task);
void cp_thread_init(struct cp_thread *thread);
void cp_thread_remove(struct cp_thread *thread);
void cp_thread_ref(struct cp_thread *thread);
void cp_thread_unref(struct cp_thread *thread);
struct cp_thread *cp_thread_find(const struct cp_pair *pair,
				 const struct task_struct *task);
typedef void (*cp_thread_fn)(struct cp_thread *thread);
void cp_thread_for_current(cp_thread_fn fn);

#endif /* _CP_THREAD_H */
