/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots: the state of a slave at one instant, as an open file.
 *
 * A snapshot holds the frozen memory (frozen.h), its description (description.h) and the
 * account of the user who is charged; nothing of the pair. It lasts until the last
 * descriptor is closed.
 */
#ifndef _CP_SNAPSHOT_H
#define _CP_SNAPSHOT_H

#include <linux/types.h>

struct cp_pair;
struct file;

/**
 * struct cp_snapshot_ask - what the master asks for
 * @deadline:	CLOCK_MONOTONIC in nanoseconds; CP_FOREVER: no limit
 * @limit:	of the hold, if this call holds the slave, in nanoseconds
 * @late:	set to the id, for the master, of a thread that has not arrived
 */
struct cp_snapshot_ask {
	u64 deadline;
	u64 limit;
	s32 late;
};

struct file *cp_snapshot_make(struct cp_pair *pair, struct cp_snapshot_ask *ask);

#endif /* _CP_SNAPSHOT_H */
