/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a pair: how it begins and ends, and who is notified. The stages
 * are described in pair.h.
 */
#ifndef _CP_LIFE_H
#define _CP_LIFE_H

#include <linux/types.h>

struct cp_pair;

int cp_life_begin(struct cp_pair *pair);
void cp_life_end(struct cp_pair *pair, u32 reason, s32 status);
void cp_life_unhooked(struct cp_pair *pair);
void cp_life_drop(struct cp_pair *pair);
void cp_life_task_exits(void);

#endif /* _CP_LIFE_H */
