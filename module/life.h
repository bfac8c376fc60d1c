/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a pair: how it begins and ends, and who is notified. The stages
 * are described in pair.h.
 */
#ifndef _CP_LIFE_H
#define _CP_LIFE_H

#include <linux/types.h>

struct cp_newcomer;
struct cp_pair;
struct cp_tasks_ops;
struct cp_thread;

extern const struct cp_tasks_ops cp_life_tasks_ops;

int cp_life_begin(struct cp_pair *pair);
void cp_life_end(struct cp_pair *pair, u32 reason, s32 status);
void cp_life_thread_over(struct cp_thread *thread);
void cp_life_thread_unseen(struct cp_pair *pair);
void cp_life_newcomer_wait(struct cp_pair *pair, struct cp_newcomer *newcomer,
			   bool child);
void cp_life_drop(struct cp_pair *pair);

#endif /* _CP_LIFE_H */
