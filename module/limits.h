/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What users may have of the module, so that nobody takes all of it: pairs, and
 * memory in regions.
 *
 * A pair counts from its beginning until it is freed, which for a slave that
 * sleeps in the kernel is later than its end; a region's memory counts until it
 * is freed, with the last mapping of it. Both count for the real user who made
 * the pair. Who is in a user namespace counts as the one who made it: being
 * many inside is no way to have more.
 *
 * Who has CAP_SYS_RESOURCE, outside of all namespaces, is neither counted nor
 * refused: their account is NULL.
 */
#ifndef _CP_LIMITS_H
#define _CP_LIMITS_H

#include <linux/uidgid.h>

struct cp_account;

kuid_t cp_limits_user(void);
int cp_limits_add_pair(struct cp_account **account);
void cp_limits_remove_pair(struct cp_account *account);
bool cp_limits_add_memory(struct cp_account *account, size_t bytes);
void cp_limits_remove_memory(struct cp_account *account, size_t bytes);

#endif /* _CP_LIMITS_H */
