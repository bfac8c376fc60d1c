/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a snapshot keeps beside its memory and its description, so that its process can be put
 * back: the state of its threads that only the kernel may know, its mappings and its signal
 * handlers.
 */
#ifndef _CP_KEPT_H
#define _CP_KEPT_H

#include <linux/sched/signal.h>
#include <linux/types.h>

#include "mappings.h"

struct cp_pair;
struct cp_state;
struct mm_struct;
struct pid;
struct task_struct;

/**
 * struct cp_kept - what is kept
 * @process:	the id of the process, which no other gets while this is held
 * @mappings:	its mappings
 * @states:	of its threads, in the order of @pid
 * @nr:		their number
 * @actions:	its signal handlers
 */
struct cp_kept {
	struct pid *process;
	struct cp_mappings mappings;
	struct cp_state *states;
	unsigned int nr;
	struct k_sigaction actions[_NSIG];
};

int cp_kept_make(struct cp_kept *kept, struct cp_pair *pair, struct mm_struct *mm,
		 unsigned int max);
void cp_kept_free(struct cp_kept *kept);
size_t cp_kept_bytes(const struct cp_kept *kept);
const struct cp_state *cp_kept_find(const struct cp_kept *kept,
				    struct task_struct *task);
void cp_kept_set_handlers(const struct cp_kept *kept);

#endif /* _CP_KEPT_H */
