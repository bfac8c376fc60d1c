/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between two states of a process, for the master: layouts, and the bytes of
 * pages.
 */
#ifndef _CP_DIFFERENCE_H
#define _CP_DIFFERENCE_H

#include <linux/types.h>

struct cp_changes;
struct cp_side;

int cp_difference_ask(struct cp_changes *arg, unsigned int cmd, void __user *uarg);
int cp_difference_list(const struct cp_side *then, const struct cp_side *now,
		       struct cp_changes *arg);

#endif /* _CP_DIFFERENCE_H */
