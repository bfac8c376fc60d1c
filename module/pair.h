/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pair: one master process and one slave task.
 *
 * Life
 * ----
 *	created	cp_pair_create(): all memory is allocated and nobody else knows
 *		the pair. The master's system call writes its answer now, where
 *		writing may fail.
 *	made	cp_life_begin(): in the tables, hook armed. The slave arrives at
 *		its next return to user mode.
 *	over	cp_life_end(); the first caller decides the reason: the slave's
 *		own work (exit, exec), the master's exit, its last close,
 *		CP_IOC_END, or netlink. The ring is closed, so nobody waits any
 *		more. Neither process counts as paired from here on.
 *	unhooked The slave's work sees that the pair is over and removes the hook
 *		(cp_life_unhooked()). A slave that sleeps in the kernel is not
 *		woken for that: queued work cannot be withdrawn, so pair and
 *		module stay until the slave returns to user mode or dies.
 *	freed	when the last reference is dropped.
 *
 * References
 * ----------
 *	the file	from cp_pair_create() to its release, or to its next
 *			pair
 *	the hook	from cp_life_begin() to cp_life_unhooked(); it also holds
 *			the module, and keeps the pair in the tables
 *	a nudge		while its work is queued; holds the module too
 *	the master's exit, while its work is queued; holds the module too
 *	a system call	while it runs
 * The last one is dropped where sleeping is allowed.
 *
 * A pair holds its region, its file (whose wait queue the ring uses), both
 * tasks, and the slave's mm_struct: not the slave's memory, only the address, so
 * that it can be compared without being reused.
 *
 * Locks
 * -----
 *	cp_file.lock		mutex: CP_IOC_PREP on a file
 *	  users_mutex		exits.c: the cost for other tasks, on or off
 *	  dirs_mutex		sysfs.c: the directories of pairs
 *	  listeners_mutex	listeners.c: the listeners, and cp_pair.events
 *	  pairs_lock		table.c: the tables, and struct cp_outcome
 *	  cp_file.pair_lock	the file's pointer to its pair
 *	  cp_ring.lock		the ring
 *	  cp_hook.nudge_lock	raw: nudges against the end of the pair
 *	  limits_lock		limits.c: what users have
 *	  siglock		the slave's own, while death.c looks at its signals
 * All but the first are leaves and never held together, with one exception: a
 * message about a pair, or a file in its directory, takes cp_ring.lock under
 * listeners_mutex or dirs_mutex. User memory is touched under cp_file.lock only
 * (CP_IOC_PREP writes its answer), and never under any of the others; the
 * spinlocks are held for a bounded time and nothing is waited for under them.
 */
#ifndef _CP_PAIR_H
#define _CP_PAIR_H

#include <linux/checkpoint.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "death.h"
#include "hook.h"
#include "region.h"
#include "ring.h"
#include "stats.h"

struct cp_account;
struct cp_dir;
struct cp_file;
struct cp_prep;

/**
 * struct cp_entry - the pair's place in the tables (table.c)
 * @by_slave:	in the table of slaves
 * @by_master:	in the table of masters
 * @number:	counts the pairs from 1, in the order of the tables
 * @master_key:	the key in the table of masters
 * @announced:	cp_table_announce() has been called
 */
struct cp_entry {
	struct hlist_node by_slave;
	struct hlist_node by_master;
	u64 number;
	unsigned long master_key;
	bool announced;
};

/**
 * struct cp_master - the master's process; constant once made
 * @task:	its main thread
 * @pid:	its number, for people
 * @owner:	its table of descriptors; compared, never followed
 * @uid:	the user who made the pair
 * @time_offset: added to a time of the machine for the master (timens.h)
 * @exit_work:	queued by the dying master for itself
 * @exiting:	bit 0: @exit_work has been queued
 */
struct cp_master {
	struct task_struct *task;
	struct pid *pid;
	fl_owner_t owner;
	kuid_t uid;
	s64 time_offset;
	struct callback_head exit_work;
	unsigned long exiting;
};

/**
 * struct cp_request - what the master asked for; constant once made
 * @flags:	as in struct cp_prep
 * @every:	as in struct cp_prep
 * @wait_limit:	as in struct cp_prep
 * @interval:	as in struct cp_prep
 */
struct cp_request {
	u32 flags;
	u32 every;
	u64 wait_limit;
	u64 interval;
};

/**
 * struct cp_slave - the slave; once the hook is armed, only the slave writes it
 * @hook:	the hook on its returns to user mode; holds the task
 * @pid:	its number, for people
 * @mm:		its mm_struct when access was granted
 * @xstate:	room for its extended registers, if they are wanted
 * @xstate_size: bytes of @xstate
 * @returns:	its returns to user mode so far
 * @next_time:	no checkpoint before; CLOCK_MONOTONIC in nanoseconds
 * @light:	the last early capture was small enough for a late one
 * @captured:	its current state has been handed over
 * @dying:	a state that may be its last has been saved
 * @death:	with @dying: the signal that announced the death
 */
struct cp_slave {
	struct cp_hook hook;
	struct pid *pid;
	struct mm_struct *mm;
	void *xstate;
	size_t xstate_size;
	u64 returns;
	u64 next_time;
	bool light;
	bool captured;
	bool dying;
	struct cp_death death;
};

/**
 * struct cp_outcome - why the pair is over
 * @reason:	CP_END_*
 * @status:	as in struct cp_get
 */
struct cp_outcome {
	u32 reason;
	s32 status;
};

/**
 * struct cp_pair - one master and one slave
 * @refs:	see above
 * @rcu:	for lookups in the tables
 * @file:	the open file; holds the wait queue
 * @account:	the user who is charged (limits.h)
 * @region:	where checkpoints go
 * @ring:	whose turn it is
 * @stats:	the pair's figures
 * @entry:	its place in the tables
 * @master:	see there
 * @ask:	see struct cp_request
 * @slave:	see there
 * @outcome:	written by cp_table_close()
 * @made:	when the pair was made, CLOCK_MONOTONIC in nanoseconds
 * @events:	CP_NL_EVENT_* that listeners want who may see this pair
 *		(listeners.c)
 * @dir:	its directory in sysfs, while it has one (sysfs.c)
 */
struct cp_pair {
	refcount_t refs;
	struct rcu_head rcu;
	struct cp_file *file;
	struct cp_account *account;
	struct cp_region *region;
	struct cp_ring ring;
	struct cp_stats stats;
	struct cp_entry entry;
	struct cp_master master;
	struct cp_request ask;
	struct cp_slave slave;
	struct cp_outcome outcome;
	u64 made;
	u32 events;
	struct cp_dir *dir;
};

/**
 * struct cp_pair_setup - what a new pair is made of
 * @file:	the open file
 * @slave:	the slave
 * @mm:		the slave's memory
 * @hook_ops:	what the slave does at its hook
 * @policy:	when the slave may write
 * @nr_slots:	checkpoints in the ring
 * @limits:	how much of a stack a checkpoint holds
 * @death_limits: how much the state of death holds
 * @prep:	what the master asked for
 */
struct cp_pair_setup {
	struct cp_file *file;
	struct task_struct *slave;
	struct mm_struct *mm;
	const struct cp_hook_ops *hook_ops;
	enum cp_policy policy;
	unsigned int nr_slots;
	struct cp_stack_limits limits;
	struct cp_stack_limits death_limits;
	const struct cp_prep *prep;
};

struct cp_pair *cp_pair_create(const struct cp_pair_setup *setup);
void cp_pair_ref(struct cp_pair *pair);
void cp_pair_unref(struct cp_pair *pair);
unsigned int cp_pair_death_slot(const struct cp_pair *pair);
const char *cp_pair_reason_name(u32 reason);
bool cp_pair_is_master(const struct cp_pair *pair);

/**
 * cp_pair_is_over - is the pair over?
 * @pair: the pair
 *
 * Return: true when it is; it stays so.
 */
static inline bool cp_pair_is_over(const struct cp_pair *pair)
{
	return READ_ONCE(pair->outcome.reason) != CP_END_NONE;
}

#endif /* _CP_PAIR_H */
