// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits on what a user can use of the module: limits.h.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "limits.h"

/* Lowering a limit does not affect pairs and memory that exist already. */
static unsigned int pairs_max = 4096;
module_param(pairs_max, uint, 0644);
MODULE_PARM_DESC(pairs_max, "most pairs of all users together");

static unsigned int pairs_per_user = 256;
module_param(pairs_per_user, uint, 0644);
MODULE_PARM_DESC(pairs_per_user, "most pairs of a user");

static unsigned long memory_per_user = SZ_256M;
module_param(memory_per_user, ulong, 0644);
MODULE_PARM_DESC(memory_per_user, "most bytes in regions of a user");

static unsigned int snapshots_per_user = 64;
module_param(snapshots_per_user, uint, 0644);
MODULE_PARM_DESC(snapshots_per_user, "most snapshots of a user");

static unsigned long snapshot_memory_per_user;
module_param(snapshot_memory_per_user, ulong, 0644);
MODULE_PARM_DESC(snapshot_memory_per_user,
		 "most bytes that snapshots of a user can come to keep; 0: half of the machine's memory");

/**
 * struct cp_account - what a user uses
 * @node:	in @accounts, while one of the counters below is not 0
 * @uid:	the user
 * @pairs:	pairs that have not been freed
 * @bytes:	memory in regions that have not been freed
 * @snapshots:	snapshots that have not been closed
 * @frozen:	bytes that these snapshots can come to keep alone
 */
struct cp_account {
	struct hlist_node node;
	kuid_t uid;
	unsigned int pairs;
	size_t bytes;
	unsigned int snapshots;
	size_t frozen;
};

static DEFINE_HASHTABLE(accounts, 6);
static unsigned int nr_pairs;		/* of all accounts */
static DEFINE_SPINLOCK(limits_lock);	/* @accounts, @nr_pairs */

/**
 * cp_limits_user - the user in the initial namespace who is charged for the caller
 *
 * Return: the user.
 */
kuid_t cp_limits_user(void)
{
	const struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_uid();

	for (; ns != &init_user_ns; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

static struct cp_account *find_account(kuid_t uid)
{
	struct cp_account *account;

	lockdep_assert_held(&limits_lock);
	hash_for_each_possible(accounts, account, node, __kuid_val(uid))
		if (uid_eq(account->uid, uid))
			return account;
	return NULL;
}

static void close_if_empty(struct cp_account *account)
{
	lockdep_assert_held(&limits_lock);
	if (account->pairs || account->bytes || account->snapshots)
		return;
	hash_del(&account->node);
	kfree(account);
}

static int count_pair(struct cp_account *account)
{
	lockdep_assert_held(&limits_lock);
	if (account->pairs >= READ_ONCE(pairs_per_user))
		return -EUSERS;
	if (nr_pairs >= READ_ONCE(pairs_max))
		return -ENOSPC;
	account->pairs++;
	nr_pairs++;
	return 0;
}

/**
 * cp_limits_add_pair - charge a pair to the caller
 * @result: set to the account, for cp_limits_remove_pair() and for the memory
 *
 * May sleep.
 *
 * Return: 0; -EUSERS at the user's limit, -ENOSPC at the limit of all users together,
 * or -ENOMEM.
 */
int cp_limits_add_pair(struct cp_account **result)
{
	struct cp_account *account, *unused;
	int ret;

	*result = NULL;
	if (ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE))
		return 0;
	unused = kzalloc(sizeof(*unused), GFP_KERNEL_ACCOUNT);
	if (!unused)
		return -ENOMEM;
	unused->uid = cp_limits_user();

	spin_lock(&limits_lock);
	account = find_account(unused->uid);
	if (!account) {
		account = unused;
		unused = NULL;
		hash_add(accounts, &account->node, __kuid_val(account->uid));
	}
	ret = count_pair(account);
	if (ret)
		close_if_empty(account);
	else
		*result = account;
	spin_unlock(&limits_lock);
	kfree(unused);
	return ret;
}

/**
 * cp_limits_remove_pair - a pair was freed
 * @account: what cp_limits_add_pair() set
 */
void cp_limits_remove_pair(struct cp_account *account)
{
	if (!account)
		return;
	spin_lock(&limits_lock);
	account->pairs--;
	nr_pairs--;
	close_if_empty(account);
	spin_unlock(&limits_lock);
}

/**
 * cp_limits_add_memory - charge memory of a region
 * @account: the account of the region's pair
 * @bytes: the amount
 *
 * Return: false at the user's limit.
 */
bool cp_limits_add_memory(struct cp_account *account, size_t bytes)
{
	size_t limit = READ_ONCE(memory_per_user);
	bool fits;

	if (!account)
		return true;
	spin_lock(&limits_lock);
	fits = account->bytes <= limit && bytes <= limit - account->bytes;
	if (fits)
		account->bytes += bytes;
	spin_unlock(&limits_lock);
	return fits;
}

/**
 * cp_limits_remove_memory - memory of a region was freed
 * @account: as for cp_limits_add_memory()
 * @bytes: the amount
 */
void cp_limits_remove_memory(struct cp_account *account, size_t bytes)
{
	if (!account)
		return;
	spin_lock(&limits_lock);
	account->bytes -= bytes;
	close_if_empty(account);
	spin_unlock(&limits_lock);
}

static size_t most_frozen(void)
{
	return READ_ONCE(snapshot_memory_per_user) ?:
		       totalram_pages() / 2 * PAGE_SIZE;
}

/**
 * cp_limits_add_snapshot - charge a snapshot
 * @account: the account of the snapshot's pair
 * @bytes: what the snapshot can come to keep alone
 *
 * Return: 0; -EUSERS when the user has too many snapshots, -EDQUOT when they could keep too
 * much memory.
 */
int cp_limits_add_snapshot(struct cp_account *account, size_t bytes)
{
	size_t limit = most_frozen();
	int ret = 0;

	if (!account)
		return 0;
	spin_lock(&limits_lock);
	if (account->snapshots >= READ_ONCE(snapshots_per_user))
		ret = -EUSERS;
	else if (account->frozen > limit || bytes > limit - account->frozen)
		ret = -EDQUOT;
	if (!ret) {
		account->snapshots++;
		account->frozen += bytes;
	}
	spin_unlock(&limits_lock);
	return ret;
}

/**
 * cp_limits_remove_snapshot - a snapshot was freed
 * @account: as for cp_limits_add_snapshot(); NULL for a snapshot that was not charged
 * @bytes: the amount
 */
void cp_limits_remove_snapshot(struct cp_account *account, size_t bytes)
{
	if (!account)
		return;
	spin_lock(&limits_lock);
	account->snapshots--;
	account->frozen -= bytes;
	close_if_empty(account);
	spin_unlock(&limits_lock);
}
