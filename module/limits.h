/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits on what a user can use of the module: pairs, memory in regions, and snapshots.
 *
 * A pair counts until it is freed, which is later than its end if the slave sleeps
 * in the kernel; a region's memory counts until the region is freed with its last
 * mapping; a snapshot counts until it is closed. All of them are charged to the real
 * user who made the pair. Users inside a user namespace are charged to the user who
 * created the outermost one, so extra ids do not raise a limit.
 *
 * A caller with CAP_SYS_RESOURCE in the initial user namespace is neither counted
 * nor refused: its account is NULL.
 */
#ifndef _CP_LIMITS_H
#define _CP_LIMITS_H

#include <linux/gfp.h>
#include <linux/uidgid.h>

struct cp_account;

/*
 * For memory of a pair, which a thread of the slave may have to allocate: do not invoke the
 * OOM killer, and do not use the reserves that its victim gets in order to die: that victim
 * may be the slave, which still copies its last state.
 */
#define CP_GFP_PAIR	(GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN | \
			 __GFP_NOMEMALLOC)

kuid_t cp_limits_user(void);
int cp_limits_add_pair(struct cp_account **account);
void cp_limits_remove_pair(struct cp_account *account);
bool cp_limits_add_memory(struct cp_account *account, size_t bytes);
void cp_limits_remove_memory(struct cp_account *account, size_t bytes);
int cp_limits_add_snapshot(struct cp_account *account, size_t bytes);
void cp_limits_remove_snapshot(struct cp_account *account, size_t bytes);

#endif /* _CP_LIMITS_H */
