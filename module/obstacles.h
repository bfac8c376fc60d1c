/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Obstacles: what is in the way of a snapshot of a process, and of putting it back.
 */
#ifndef _CP_OBSTACLES_H
#define _CP_OBSTACLES_H

#include <linux/types.h>

struct cp_pair;
struct mm_struct;

int cp_obstacles_find(struct cp_pair *pair, struct mm_struct *mm);
bool cp_obstacles_is_gone(const struct cp_pair *pair);

#endif /* _CP_OBSTACLES_H */
