/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pair: one master process and one slave task.
 *
 * Life
 * ----
 *	created	cp_pair_create(): all memory is there, nobody knows of it. The
 *		master's system call writes its answer now, where it may fail.
 *	made	cp_pair_begin(): in the tables, hook armed. The slave arrives
 *		at its next return to user mode.
 *	over	cp_pair_end(), once, by whoever is first: the slave's own work
 *		(exit, exec), the master's exit, its last close, CP_IOC_END.
 *		@reason is set and the ring closed, so nobody waits any more.
 *		Neither process counts as paired from here on.
 *	unhooked The slave's work sees that the pair is over and lets go
 *		(cp_pair_unhooked()). A slave that sleeps in the kernel is not
 *		woken for it: queued work cannot be withdrawn, so pair and
 *		module stay until the slave returns to user mode or dies.
 *	freed	when the last reference is dropped.
 *
 * References
 * ----------
 *	the file	from cp_pair_create() to its release, or to its next
 *			pair
 *	the hook	from cp_pair_begin() to cp_pair_unhooked(); it also holds
 *			the module, and keeps the pair in the tables
 *	a nudge		while its work is queued; holds the module too
 *	the master's exit, while its work is queued; holds the module too
 *	a system call	while it runs
 * The last one is dropped where sleeping is allowed. Lookups in the tables are
 * under RCU and take a reference only if there is one left.
 *
 * A pair holds its region, its file (whose wait queue the ring uses), both
 * tasks, and the slave's mm_struct: not its memory, only the address, so that
 * it can be compared without being reused.
 *
 * Locks
 * -----
 *	cp_file.lock		mutex: making a pair on a file
 *	  users_mutex		hook.c: what bystanders pay for, on or off
 *	  dirs_mutex		sysfs.c: the directories of pairs
 *	  listeners_mutex	listeners.c: who hears of pairs, and cp_pair.events
 *	  pairs_lock		the tables, @reason and @status
 *	  cp_file.pair_lock	the file's pointer to its pair
 *	  cp_ring.lock		the ring
 *	  limits_lock		limits.c: what users have
 *	  siglock		the slave's own, while it looks for its death
 * All but the first are leaves, never held together; but to tell of a pair, by
 * netlink or in a file of a directory, which dirs_mutex waits for, takes
 * cp_ring.lock. None of the last five is held while anything is waited for, and
 * none at all while user memory is touched.
 */
#ifndef _CP_PAIR_H
#define _CP_PAIR_H

#include <linux/fs.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "capture.h"
#include "death.h"
#include "hook.h"
#include "region.h"
#include "ring.h"
#include "stats.h"

struct cp_account;
struct cp_dir;
struct cp_file;
struct cp_prep;
struct cp_region;

/**
 * struct cp_pair - one master and one slave
 * @refs:	see above
 * @rcu:	for the lookups
 * @by_slave:	in the table of slaves
 * @by_master:	in the table of masters
 * @number:	counts the pairs from 1, in the order of the tables
 * @file:	the open file; holds the wait queue
 * @region:	where checkpoints go
 * @ring:	whose turn it is
 * @hook:	the hook on the slave
 * @mm:		what the slave ran when access was granted
 * @master:	main thread of the master when the pair was made
 * @master_key:	what the pair goes by in the table of masters
 * @master_pid:	the master, for people
 * @slave_pid:	the slave, for people
 * @owner:	the master's table of descriptors; compared, never followed
 * @exit_work:	queued by a dying master for itself
 * @exiting:	bit 0: @exit_work has been queued
 * @flags:	as in struct cp_prep
 * @wait_limit:	as in struct cp_prep
 * @interval:	as in struct cp_prep
 * @every:	as in struct cp_prep
 * @returns:	the slave's returns to user mode so far
 * @next_time:	no checkpoint before; CLOCK_MONOTONIC in nanoseconds
 * @xstate:	room for the slave's extended registers, if they are wanted
 * @xstate_size: its bytes
 * @light:	the last state that was captured early could have been late
 * @captured:	the slave's state has been handed over, and is its state still
 * @dying:	a guess at the slave's last state has been saved, and
 * @death:	what made us guess
 * @reason:	CP_END_*
 * @status:	as in struct cp_get
 * @uid:	the user who made it
 * @account:	and who answers for it (limits.h)
 * @made:	when, CLOCK_MONOTONIC in nanoseconds
 * @time_offset: added to a time of the machine for the master (timens.h)
 * @events:	CP_NL_EVENT_* that somebody wants who may see this pair
 *		(listeners.h)
 * @told:	that it was made has been told to who listens
 * @stats:	what it has done so far
 * @dir:	its directory in sysfs, while it has one
 */
struct cp_pair {
	refcount_t refs;
	struct rcu_head rcu;
	struct hlist_node by_slave;
	struct hlist_node by_master;
	u64 number;
	struct cp_file *file;
	struct cp_region *region;
	struct cp_ring ring;
	struct cp_hook hook;
	struct mm_struct *mm;
	struct task_struct *master;
	unsigned long master_key;
	struct pid *master_pid;
	struct pid *slave_pid;
	fl_owner_t owner;
	struct callback_head exit_work;
	unsigned long exiting;
	u32 flags;
	u64 wait_limit;
	u64 interval;
	u32 every;
	u64 returns;
	u64 next_time;
	void *xstate;
	size_t xstate_size;
	bool light;
	bool captured;
	bool dying;
	struct cp_death death;
	u32 reason;
	s32 status;
	kuid_t uid;
	struct cp_account *account;
	u64 made;
	s64 time_offset;
	u32 events;
	bool told;
	struct cp_stats stats;
	struct cp_dir *dir;
};

/**
 * struct cp_pair_setup - what a new pair is made of
 * @file:	the open file
 * @slave:	the slave
 * @mm:		its memory
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
	enum cp_policy policy;
	unsigned int nr_slots;
	struct cp_stack_limits limits;
	struct cp_stack_limits death_limits;
	const struct cp_prep *prep;
};

struct cp_pair *cp_pair_create(const struct cp_pair_setup *setup);
int cp_pair_begin(struct cp_pair *pair);
int cp_pair_check_caller(void);
bool cp_pair_of(struct task_struct *task);
void cp_pair_get(struct cp_pair *pair);
void cp_pair_put(struct cp_pair *pair);
void cp_pair_drop(struct cp_pair *pair);
const char *cp_pair_reason_name(u32 reason);
bool cp_pair_is_master(const struct cp_pair *pair);
bool cp_pair_is_over(const struct cp_pair *pair);
void cp_pair_end(struct cp_pair *pair, u32 reason, s32 status);
bool cp_pair_is_due(const struct cp_pair *pair);
bool cp_pair_checkpoint(struct cp_pair *pair, struct pt_regs *regs,
			struct cp_cause cause);
bool cp_pair_prefers_late(const struct cp_pair *pair);
bool cp_pair_checkpoint_late(struct cp_pair *pair, struct pt_regs *regs,
			     struct cp_cause cause);
void cp_pair_foresee_death(struct cp_pair *pair, struct pt_regs *regs,
			   struct cp_cause cause);
void cp_pair_slave_gone(struct cp_pair *pair);
void cp_pair_unhooked(struct cp_pair *pair);

/**
 * struct cp_pair_cursor - a place in a walk over all pairs; starts zeroed
 * @bucket:	which part of the table
 * @passed:	the @number of the last pair in it that was passed; 0 for none
 * @all:	pairs that nobody has been told of yet, or that are over, too
 */
struct cp_pair_cursor {
	unsigned int bucket;
	bool all;
	u64 passed;
};

struct cp_pair *cp_pair_find(pid_t nr);
struct cp_pair *cp_pair_next(struct cp_pair_cursor *cursor);
void cp_pair_passed(struct cp_pair_cursor *cursor,
		    const struct cp_pair *pair);

typedef void (*cp_pair_fn)(struct cp_pair *pair);
void cp_pair_task_exits(cp_pair_fn slave_exits);

#endif /* _CP_PAIR_H */
