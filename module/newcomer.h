/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Newcomers: programs that a slave has begun, as children or by an exec, and that are held
 * before their first instruction until a process pairs with them.
 *
 * A child's newcomer is made by its parent, before the child runs. The rest is done by the
 * newcomer itself, in its own context: it queues itself for the parent's master, and waits.
 * It can be killed and frozen meanwhile, does not count as load, and shows as idle (I).
 *
 * A newcomer that the user of its master lets go does not wait: no pair with it can be made.
 *
 * The parent's exit changes nothing: its master can still take each child, and each child
 * waits. When the master has left, only children that it has taken continue to wait: another
 * process may be about to pair with them.
 */
#ifndef _CP_NEWCOMER_H
#define _CP_NEWCOMER_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

struct cp_pair;
struct task_struct;

/**
 * struct cp_newcomers - the newcomers of a pair
 * @lock:	protects @queue, @nr, writes of @closed, and cp_newcomer.given
 * @queue:	children that the master has not taken, the oldest first
 * @nr:		number of children in @queue, at most CP_CHILDREN_MAX
 * @closed:	the master has left: it takes no more children
 * @unborn:	number of children that have been created and have not queued themselves yet
 * @wait:	where newcomers wait, exclusively
 * @waiting:	number of newcomers in @wait, or more
 */
struct cp_newcomers {
	spinlock_t lock; /* see above */
	struct list_head queue;
	unsigned int nr;
	bool closed;
	atomic_t unborn;
	wait_queue_head_t wait;
	atomic_t waiting;
};

/**
 * struct cp_newcomer - a child before its first instruction
 * @refs:	held by the task itself, and by the queue or the master that takes from it
 * @rcu:	for kfree_rcu() where preemption is off
 * @node:	in the table of newcomers
 * @queued:	in cp_newcomers.queue, or empty
 * @work:	the child's first work
 * @task:	the task; compared, never followed
 * @pair:	the parent's pair, which the work holds
 * @nr:		the child's id for the master
 * @given:	the parent's master has taken the newcomer
 * @uid:	the user who has made that pair
 * @free:	a process has paired with the newcomer, or none will
 */
struct cp_newcomer {
	refcount_t refs;
	struct rcu_head rcu;
	struct hlist_node node;
	struct list_head queued;
	struct callback_head work;
	struct task_struct *task;
	struct cp_pair *pair;
	s32 nr;
	kuid_t uid;
	bool given;
	bool free;
};

struct cp_newcomer *cp_newcomer_alloc(gfp_t gfp);
void cp_newcomer_unref(struct cp_newcomer *newcomer);
void cp_newcomer_add(struct cp_newcomer *newcomer, struct task_struct *task,
		     kuid_t uid);
void cp_newcomer_remove(struct cp_newcomer *newcomer);
void cp_newcomer_paired(struct task_struct *task);
bool cp_newcomer_let_go(struct task_struct *task, const kuid_t *uid);
void cp_newcomer_wait(struct cp_newcomer *newcomer,
		      struct cp_newcomers *newcomers, bool child, u64 limit);

void cp_newcomers_init(struct cp_newcomers *newcomers);
void cp_newcomers_expect(struct cp_newcomers *newcomers);
void cp_newcomers_skip(struct cp_newcomers *newcomers);
bool cp_newcomers_queue(struct cp_newcomers *newcomers,
			struct cp_newcomer *newcomer);
bool cp_newcomers_any(const struct cp_newcomers *newcomers);
bool cp_newcomers_over(struct cp_newcomers *newcomers);
struct cp_newcomer *cp_newcomers_take(struct cp_newcomers *newcomers);
void cp_newcomers_put_back(struct cp_newcomers *newcomers,
			   struct cp_newcomer *newcomer);
void cp_newcomers_close(struct cp_newcomers *newcomers);
void cp_newcomers_destroy(struct cp_newcomers *newcomers);

#endif /* _CP_NEWCOMER_H */
