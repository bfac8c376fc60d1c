// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files of /dev/checkpoint: file.h.
 */
#include <linux/slab.h>

#include "file.h"

/**
 * cp_file_alloc - allocate the struct of a newly opened file
 *
 * Return: the struct, with one reference, or NULL without memory.
 */
struct cp_file *cp_file_alloc(void)
{
	struct cp_file *cp_file = kzalloc(sizeof(*cp_file), GFP_KERNEL_ACCOUNT);

	if (!cp_file)
		return NULL;
	refcount_set(&cp_file->refs, 1);
	mutex_init(&cp_file->lock);
	spin_lock_init(&cp_file->pair_lock);
	init_waitqueue_head(&cp_file->wait);
	return cp_file;
}

/**
 * cp_file_get - take a reference
 * @cp_file: the open file
 *
 * Return: @cp_file.
 */
struct cp_file *cp_file_get(struct cp_file *cp_file)
{
	refcount_inc(&cp_file->refs);
	return cp_file;
}

/**
 * cp_file_put - drop a reference
 * @cp_file: the open file
 */
void cp_file_put(struct cp_file *cp_file)
{
	if (refcount_dec_and_test(&cp_file->refs))
		kfree(cp_file);
}
