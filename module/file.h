/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An open file of /dev/checkpoint, which carries at most one pair at a time: its
 * references and its wait queue.
 */
#ifndef _CP_FILE_H
#define _CP_FILE_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct cp_pair;

/**
 * struct cp_file - an open file
 * @refs:	held by the open file and by each pair that was made on it: a pair
 *		may outlive the file, and wakes @wait
 * @lock:	held while CP_IOC_PREP makes a pair
 * @pair_lock:	protects @pair
 * @pair:	the file's pair, over or not; NULL before the first
 * @wait:	where the master waits in CP_IOC_GET and in poll. It belongs to the
 *		file because pollers stay on it from one pair to the next
 */
struct cp_file {
	refcount_t refs;
	struct mutex lock;	/* CP_IOC_PREP */
	spinlock_t pair_lock;	/* @pair */
	struct cp_pair *pair;
	wait_queue_head_t wait;
};

struct cp_file *cp_file_alloc(void);
struct cp_file *cp_file_get(struct cp_file *cp_file);
void cp_file_put(struct cp_file *cp_file);

#endif /* _CP_FILE_H */
