/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leavers: threads that a process has created since a snapshot, and that exit before it is
 * put back. Each of them calls exit(2), as an errand.
 *
 * References
 * ----------
 *	whoever sends them away
 *	each leaver	from cp_leavers_send() until it has exited
 */
#ifndef _CP_LEAVERS_H
#define _CP_LEAVERS_H

#include <linux/types.h>

struct cp_kept;
struct cp_leavers;
struct cp_pair;
struct pt_regs;

int cp_leavers_find(struct cp_leavers **leavers, struct cp_pair *pair,
		    const struct cp_kept *kept, const struct pt_regs *regs);
int cp_leavers_send(struct cp_leavers *leavers, struct cp_pair *pair);
void cp_leavers_unref(struct cp_leavers *leavers);

#endif /* _CP_LEAVERS_H */
