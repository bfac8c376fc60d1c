// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of pairs. What they hold, and for how long: table.h.
 */
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "pair.h"
#include "table.h"

static DEFINE_HASHTABLE(slaves, 10);
static DEFINE_HASHTABLE(masters, 10);
static DEFINE_SPINLOCK(pairs_lock);
static u64 last_number;			/* cp_entry.number; pairs_lock */

static unsigned long process_key(const struct task_struct *task)
{
	return (unsigned long)task->signal;
}

/* The live pair whose slave is the task's process, or NULL. */
static struct cp_pair *pair_of_slave(struct task_struct *task)
{
	struct cp_pair *pair;

	lockdep_assert_held(&pairs_lock);
	hash_for_each_possible(slaves, pair, entry.by_slave, process_key(task))
		if (!pair->outcome.reason &&
		    same_thread_group(pair->slave.task, task))
			return pair;
	return NULL;
}

static bool is_slave(struct task_struct *task)
{
	return pair_of_slave(task);
}

static bool is_master(struct task_struct *task)
{
	struct cp_pair *pair;

	lockdep_assert_held(&pairs_lock);
	hash_for_each_possible(masters, pair, entry.by_master,
			       process_key(task))
		if (!pair->outcome.reason &&
		    same_thread_group(pair->master.task, task))
			return true;
	return false;
}

static int check_caller_locked(void)
{
	if (is_master(current))
		return -EALREADY;
	if (is_slave(current))
		return -EDEADLK;
	return 0;
}

/**
 * cp_table_check_caller - may the caller become a master?
 *
 * Return: 0, -EALREADY when the caller's process is a master, -EDEADLK when it is
 * a slave.
 */
int cp_table_check_caller(void)
{
	int ret;

	spin_lock(&pairs_lock);
	ret = check_caller_locked();
	spin_unlock(&pairs_lock);
	return ret;
}

/**
 * cp_table_has - is a task's process the master or the slave of a pair?
 * @task: any thread of the process
 *
 * Return: true when it is.
 */
bool cp_table_has(struct task_struct *task)
{
	bool paired;

	spin_lock(&pairs_lock);
	paired = is_slave(task) || is_master(task);
	spin_unlock(&pairs_lock);
	return paired;
}

/**
 * cp_table_is_hooked - is a task's process a slave whose threads have hooks?
 * @task: any thread of the process
 *
 * Return: false as long as cp_life_begin() may still be arming them.
 */
bool cp_table_is_hooked(struct task_struct *task)
{
	struct cp_pair *pair;
	bool hooked;

	spin_lock(&pairs_lock);
	pair = pair_of_slave(task);
	hooked = pair && pair->entry.hooked;
	spin_unlock(&pairs_lock);
	return hooked;
}

/**
 * cp_table_insert - insert a pair: the caller and the slave count as paired from here on
 * @pair: the pair, whose master is the caller
 *
 * Repeats the checks of both processes, which may have been paired meanwhile.
 *
 * Return: 0, -EALREADY, -EDEADLK or -EBUSY.
 */
int cp_table_insert(struct cp_pair *pair)
{
	struct task_struct *slave = pair->slave.task;
	int ret;

	pair->entry.slave_key = process_key(slave);
	pair->entry.master_key = process_key(pair->master.task);
	spin_lock(&pairs_lock);
	ret = check_caller_locked();
	if (!ret && (is_slave(slave) || is_master(slave)))
		ret = -EBUSY;
	if (!ret) {
		pair->entry.number = ++last_number;
		hash_add_rcu(slaves, &pair->entry.by_slave,
			     pair->entry.slave_key);
		hash_add_rcu(masters, &pair->entry.by_master,
			     pair->entry.master_key);
	}
	spin_unlock(&pairs_lock);
	/*
	 * Pairs with cp_table_slave_forks(): a thread that does not find the pair when it
	 * is created is found by a later walk over the threads of its process.
	 */
	smp_mb();
	return ret;
}

/**
 * cp_table_announce - let others find the pair
 * @pair: the pair
 *
 * Called after listeners have been notified that the pair was made, so that no process
 * can find and end a pair before that.
 */
void cp_table_announce(struct cp_pair *pair)
{
	/* Pairs with is_findable(): a lookup that succeeds sees all of the pair. */
	smp_store_release(&pair->entry.announced, true);
}

/**
 * cp_table_set_hooked - note that each thread of the slave has a hook
 * @pair: the pair
 */
void cp_table_set_hooked(struct cp_pair *pair)
{
	spin_lock(&pairs_lock);
	pair->entry.hooked = true;
	spin_unlock(&pairs_lock);
}

/**
 * cp_table_close - note the outcome: the processes no longer count as paired
 * @pair: the pair
 * @reason: CP_END_*
 * @status: as in struct cp_get
 *
 * Return: true for the first caller, whose reason counts.
 */
bool cp_table_close(struct cp_pair *pair, u32 reason, s32 status)
{
	bool first;

	spin_lock(&pairs_lock);
	first = !pair->outcome.reason;
	if (first) {
		pair->outcome.status = status;
		WRITE_ONCE(pair->outcome.reason, reason);
	}
	spin_unlock(&pairs_lock);
	return first;
}

/**
 * cp_table_remove - take a pair out of the tables
 * @pair: the pair
 */
void cp_table_remove(struct cp_pair *pair)
{
	spin_lock(&pairs_lock);
	hash_del_rcu(&pair->entry.by_slave);
	hash_del_rcu(&pair->entry.by_master);
	spin_unlock(&pairs_lock);
}

static bool is_findable(const struct cp_pair *pair)
{
	/* Pairs with cp_table_announce(). */
	return smp_load_acquire(&pair->entry.announced) &&
	       !cp_pair_is_over(pair);
}

/*
 * Is the task the pair's slave, or a thread of it? Under RCU, the pair's reference on its
 * slave may be gone already: then the answer may be wrong, but no reference can be taken on
 * the pair.
 */
static bool is_slave_of(struct task_struct *task, const struct cp_pair *pair)
{
	return cp_pair_is_process(pair) ?
		       pair->entry.slave_key == process_key(task) :
		       pair->slave.task == task;
}

/**
 * cp_table_find - the pair of a slave
 * @nr: the slave's number in the caller's pid namespace, or that of any of its threads
 *
 * Return: its live pair, with a reference for the caller, or NULL.
 */
struct cp_pair *cp_table_find(pid_t nr)
{
	struct cp_pair *pair, *found = NULL;
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(find_vpid(nr), PIDTYPE_PID);
	if (!task)
		goto out;
	hash_for_each_possible_rcu(slaves, pair, entry.by_slave,
				   process_key(task))
		if (is_slave_of(task, pair) && is_findable(pair) &&
		    refcount_inc_not_zero(&pair->refs)) {
			found = pair;
			break;
		}

out:
	rcu_read_unlock();
	return found;
}

/**
 * cp_table_next - the next pair of a walk
 * @cursor: the place; stays at the pair until cp_table_passed()
 *
 * Each bucket holds its newest pair first, so cp_entry.number shows which pairs
 * have been passed: a pair that lives throughout the walk is visited once,
 * whatever is inserted and removed around it.
 *
 * Return: the pair, with a reference for the caller; NULL at the end.
 */
struct cp_pair *cp_table_next(struct cp_table_cursor *cursor)
{
	struct cp_pair *pair;

	rcu_read_lock();
	for (; cursor->bucket < HASH_SIZE(slaves); cursor->bucket++) {
		hlist_for_each_entry_rcu(pair, &slaves[cursor->bucket],
					 entry.by_slave)
			if ((!cursor->passed ||
			     pair->entry.number < cursor->passed) &&
			    (cursor->all || is_findable(pair)) &&
			    refcount_inc_not_zero(&pair->refs))
				goto out;
		cursor->passed = 0;
	}
	pair = NULL;

out:
	rcu_read_unlock();
	return pair;
}

/**
 * cp_table_passed - continue a walk after the pair that cp_table_next() gave
 * @cursor: the place
 * @pair: the pair
 */
void cp_table_passed(struct cp_table_cursor *cursor, const struct cp_pair *pair)
{
	cursor->passed = pair->entry.number;
}

/**
 * cp_table_master_exits - find the pairs whose master is the current, exiting process
 * @fn: called for each
 *
 * Called for every exit on the machine, in atomic context.
 */
void cp_table_master_exits(cp_pair_fn fn)
{
	unsigned long key = process_key(current);
	struct cp_pair *pair;

	if (atomic_read(&current->signal->live))
		return;
	rcu_read_lock();
	hash_for_each_possible_rcu(masters, pair, entry.by_master, key)
		/* The pair's reference on the master may be gone already. */
		if (pair->entry.master_key == key)
			fn(pair);
	rcu_read_unlock();
}

/**
 * cp_table_slave_forks - find the live pairs whose slave is the current process, with all
 *	its threads
 * @fn: called for each
 * @child: passed to it
 *
 * Called for every new task on the machine, in atomic context.
 */
void cp_table_slave_forks(cp_fork_fn fn, struct task_struct *child)
{
	struct cp_pair *pair;

	/* Pairs with cp_table_insert(): the child is in its process by now. */
	smp_mb();
	rcu_read_lock();
	hash_for_each_possible_rcu(slaves, pair, entry.by_slave,
				   process_key(current))
		if (cp_pair_is_process(pair) && is_slave_of(current, pair))
			fn(pair, child);
	rcu_read_unlock();
}
