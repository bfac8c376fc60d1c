/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pair: one master process and one slave, which is a task or a process.
 *
 * Life
 * ----
 *	created	cp_pair_create(): all memory is allocated, and no other task can
 *		find the pair. The master's system call writes its answer now, where
 *		writing may fail.
 *	made	cp_life_begin(): in the tables, hooks armed. Each thread of the slave
 *		arrives at its next return to user mode.
 *	over	cp_life_end(); the first caller decides the reason: the slave's
 *		own work (exit of its last thread, exec), the master's exit, its last
 *		close, CP_IOC_END, or netlink. The rings are closed, so no task waits
 *		any more. Neither process counts as paired from here on.
 *	unhooked The work of each thread sees that the pair is over and removes its hook
 *		(cp_life_thread_over()); after the last one, the pair leaves the
 *		tables. A thread that sleeps in the kernel is not woken for that:
 *		queued work cannot be withdrawn, so pair and module stay until the
 *		thread returns to user mode or dies.
 *	freed	when the last reference is dropped.
 *
 * References
 * ----------
 *	the file	from cp_pair_create() to its release, or to its next
 *			pair
 *	all hooks	together, while cp_pair.hooked is not 0; they also hold the
 *			module, and keep the pair in the tables
 *	a thread	until it is freed (thread.h)
 *	the master's exit, while its work is queued; holds the module too
 *	a child's work	while it is queued; holds the module too (newcomer.h)
 *	a system call	while it runs
 * The last one is dropped where sleeping is allowed.
 *
 * A pair holds its area, its file (whose wait queue the rings use), both tasks, and the
 * slave's mm_struct, though not the memory: the address is compared, so it must not be
 * reused.
 *
 * Locks
 * -----
 * Mutexes and mmap_lock:
 *	cp_gate.holding		CP_IOC_HOLD, CP_IOC_RELEASE, CP_IOC_SNAPSHOT and
 *				CP_IOC_PUT_BACK on a pair
 *	  mmap_lock		the slave's, while a snapshot describes its mappings
 *	cp_file.lock		CP_IOC_PREP on a file
 *	  cp_parts.growing	one more part of a pair
 *	  users_mutex		tasks.c: the cost for other tasks, on or off
 *	  dirs_mutex		sysfs.c: the directories of pairs
 *	  listeners_mutex	listeners.c: the listeners, and cp_pair.events
 * A capture holds the slave's mmap_lock alone, and a fault in the mapped area the master's.
 *
 * Spinlocks, taken under any of the above:
 *	cp_parts.lock		who has which part
 *	  cp_ring.lock		the ring
 *	  cp_hook.nudge_lock	raw: nudges against the end of the pair
 *	  siglock		the slave's, while death.c looks at its signals, without
 *				cp_parts.lock, and while state.c restores them
 *	cp_gate.lock		the gate
 *	cp_newcomers.lock	children that wait for their masters
 *	newcomer_table_lock	raw: newcomer.c: the table of newcomers
 *	pairs_lock		table.c: the tables, and struct cp_outcome
 *	threads_lock		raw: thread.c: the table of threads
 *	under_way_lock		raw: call.c: threads that execute a call for their master
 *	frozen_lock		frozen.c: frozen memory; also under the kernel's oom_lock
 *	limits_lock		limits.c: what users have
 *	cp_file.pair_lock	the file's pointer to its pair
 *	stats_lock		the slave's, while freeze.c looks at its children's figures
 *
 * A lock is taken under another one of its list only if it is indented below that. User
 * memory is touched under cp_file.lock only (CP_IOC_PREP writes its answer), and, with page
 * faults disabled, under mmap_lock. Spinlocks are held for a bounded time.
 */
#ifndef _CP_PAIR_H
#define _CP_PAIR_H

#include <linux/atomic.h>
#include <linux/checkpoint.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "gate.h"
#include "parts.h"

struct cp_account;
struct cp_dir;
struct cp_file;
struct cp_hook_ops;
struct cp_prep;

/**
 * struct cp_entry - the pair's place in the tables (table.c)
 * @by_slave:	in the table of slaves
 * @by_master:	in the table of masters
 * @number:	counts the pairs from 1, in the order of the tables
 * @slave_key:	the key in the table of slaves
 * @master_key:	the key in the table of masters
 * @announced:	cp_table_announce() has been called
 * @hooked:	cp_table_set_hooked() has been called; pairs_lock
 */
struct cp_entry {
	struct hlist_node by_slave;
	struct hlist_node by_master;
	u64 number;
	unsigned long slave_key;
	unsigned long master_key;
	bool announced;
	bool hooked;
};

/**
 * struct cp_master - the master's process; constant once made
 * @task:	its main thread
 * @pid:	its process id
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
 * @child_limit: for how long a child is held, in nanoseconds
 * @may_write:	the proof of access was opened for writing
 */
struct cp_request {
	u32 flags;
	u32 every;
	u64 wait_limit;
	u64 interval;
	u64 child_limit;
	bool may_write;
};

/**
 * struct cp_slave - the slave; constant once made
 * @task:	the task that the master asked for; with CP_PREP_PROCESS, any thread of
 *		its process
 * @pid:	the id of the task; with CP_PREP_PROCESS, of its process
 * @mm:		its mm_struct when access was granted
 */
struct cp_slave {
	struct task_struct *task;
	struct pid *pid;
	struct mm_struct *mm;
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
 * @parts:	what each thread of the slave writes
 * @gate:	where the slave's threads wait while they are held
 * @entry:	its place in the tables
 * @master:	see there
 * @ask:	see struct cp_request
 * @slave:	see there
 * @hook_ops:	what each thread does in its hook
 * @hooked:	number of threads that have a hook, plus 1 while cp_life_begin() arms hooks
 * @exit_status: status of the process as waitpid(2) gives it, as far as it is known
 * @outcome:	written by cp_table_close()
 * @made:	when the pair was made, CLOCK_MONOTONIC in nanoseconds
 * @events:	CP_NL_EVENT_* that listeners which may see this pair want (listeners.c)
 * @dir:	its directory in sysfs, while it has one (sysfs.c)
 */
struct cp_pair {
	refcount_t refs;
	struct rcu_head rcu;
	struct cp_file *file;
	struct cp_account *account;
	struct cp_parts parts;
	struct cp_gate gate;
	struct cp_entry entry;
	struct cp_master master;
	struct cp_request ask;
	struct cp_slave slave;
	const struct cp_hook_ops *hook_ops;
	atomic_t hooked;
	s32 exit_status;
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
 * @hook_ops:	what each thread does in its hook
 * @policy:	when the slave may write
 * @nr_slots:	checkpoints in each ring
 * @max_threads: most threads
 * @nr_threads:	number of threads that the slave has already
 * @limits:	how much of a stack a checkpoint holds
 * @death_limits: how much of a stack the state of death holds
 * @prep:	what the master asked for
 */
struct cp_pair_setup {
	struct cp_file *file;
	struct task_struct *slave;
	struct mm_struct *mm;
	const struct cp_hook_ops *hook_ops;
	enum cp_policy policy;
	unsigned int nr_slots;
	unsigned int max_threads;
	unsigned int nr_threads;
	struct cp_stack_limits limits;
	struct cp_stack_limits death_limits;
	const struct cp_prep *prep;
};

struct cp_pair *cp_pair_create(const struct cp_pair_setup *setup);
void cp_pair_ref(struct cp_pair *pair);
void cp_pair_unref(struct cp_pair *pair);
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

/**
 * cp_pair_is_process - is the slave a process with all its threads?
 * @pair: the pair
 *
 * Return: true when it is; false for one task.
 */
static inline bool cp_pair_is_process(const struct cp_pair *pair)
{
	return pair->ask.flags & CP_PREP_PROCESS;
}

/**
 * cp_pair_holds_children - are programs that the slave begins held for a master?
 * @pair: the pair
 *
 * Return: true when they are.
 */
static inline bool cp_pair_holds_children(const struct cp_pair *pair)
{
	return pair->ask.flags & CP_PREP_CHILDREN;
}

#endif /* _CP_PAIR_H */
