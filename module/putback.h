/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a process back to a snapshot.
 *
 *	master	holds all threads at the gate, looks for obstacles, and has a thread that
 *		the snapshot has, the executor, called. From here on the master only waits
 *	executor at the gate: finds the mappings and pages that differ, and allocates what
 *		is needed to restore them. Until here nothing has been changed
 *	leavers	threads that the snapshot does not have exit (leavers.h)
 *	executor restores mappings, pages and signal handlers, and waits at the gate again
 *	worker	when the executor has left its CPU: restores the registers of all threads
 *		(state.h), and unbolts the gate
 *
 * The gate is bolted until the end, so no thread of the slave runs in the middle, whatever
 * happens to the master, to the limit or to the pair. If the first change has been made and
 * something fails, the slave is killed before the gate opens.
 *
 * The executor works in its own context: its cgroups pay, and a signal that kills it ends the
 * work. Only registers are set by a worker, because a thread cannot set its own.
 *
 * References
 * ----------
 *	the master	from its creation to the end of its system call
 *	the executor	from its call until the call is over
 *	the worker	while its work is queued; holds the module too
 * A put back holds its pair, and the file of the snapshot.
 */
#ifndef _CP_PUTBACK_H
#define _CP_PUTBACK_H

#include <linux/types.h>

struct cp_pair;
struct file;

/**
 * struct cp_putback_ask - what the master asks for
 * @file:	the snapshot
 * @deadline:	CLOCK_MONOTONIC in nanoseconds; CP_FOREVER: no limit
 * @limit:	of the hold, if this call holds the slave, in nanoseconds
 * @late:	set to the id, for the master, of a thread that has not arrived, or is gone
 * @pages:	set to the number of pages that have been restored
 */
struct cp_putback_ask {
	struct file *file;
	u64 deadline;
	u64 limit;
	s32 late;
	u64 pages;
};

int cp_putback(struct cp_pair *pair, struct cp_putback_ask *ask);

#endif /* _CP_PUTBACK_H */
