/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots: the state of a slave at one instant, as an open file.
 *
 * A snapshot holds the frozen memory (frozen.h), its description (description.h), what is
 * needed to put the process back (kept.h), what watches the process since (watch.h) and the
 * account of the user who is charged; nothing of the pair. It lasts until the last
 * descriptor is closed.
 */
#ifndef _CP_SNAPSHOT_H
#define _CP_SNAPSHOT_H

#include <linux/types.h>

#include "description.h"
#include "frozen.h"
#include "kept.h"

struct cp_account;
struct cp_changes;
struct cp_pair;
struct cp_watch;
struct file;
struct mm_struct;

/**
 * struct cp_shot - a snapshot
 * @frozen:	the memory
 * @text:	the description
 * @kept:	what is needed to put the process back
 * @source:	the slave's memory, without a reference on its pages: to recognize the slave
 * @watch:	the watch; NULL without CP_SNAPSHOT_CHANGES
 * @account:	the user who is charged
 * @charged:	bytes
 */
struct cp_shot {
	struct cp_frozen frozen;
	struct cp_description text;
	struct cp_kept kept;
	struct mm_struct *source;
	struct cp_watch *watch;
	struct cp_account *account;
	size_t charged;
};

/**
 * struct cp_snapshot_ask - what the master asks for
 * @deadline:	CLOCK_MONOTONIC in nanoseconds; CP_FOREVER: no limit
 * @limit:	of the hold, if this call holds the slave, in nanoseconds
 * @changes:	watch the process from now on
 * @late:	set to the id, for the master, of a thread that has not arrived
 */
struct cp_snapshot_ask {
	u64 deadline;
	u64 limit;
	bool changes;
	s32 late;
};

struct file *cp_snapshot_make(struct cp_pair *pair, struct cp_snapshot_ask *ask);
struct cp_shot *cp_snapshot_of(struct file *file);
int cp_snapshot_changes(struct cp_pair *pair, struct cp_changes *arg);

#endif /* _CP_SNAPSHOT_H */
