/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frozen memory: an mm_struct without tasks (freeze.h), for as long as a snapshot keeps it.
 *
 * No task owns the memory, so the kernel cannot free it by killing somebody. When the machine
 * runs out of memory, frozen memory is dropped before a process is killed: the one that may
 * keep the most pages first.
 */
#ifndef _CP_FROZEN_H
#define _CP_FROZEN_H

#include <linux/list.h>
#include <linux/types.h>

struct mm_struct;

/**
 * struct cp_frozen - frozen memory
 * @node:	in the list of all
 * @mm:		the memory, with a reference on its pages; NULL when it has been dropped
 * @bytes:	what it can come to keep alone
 */
struct cp_frozen {
	struct list_head node;
	struct mm_struct *mm;
	size_t bytes;
};

/*
 * Mappings that have not been frozen: only private memory is, and of an area that a fork
 * wipes the child has got zeroes.
 */
#define CP_FROZEN_NOT	(VM_WIPEONFORK | VM_IO | VM_PFNMAP)

int cp_frozen_init(void);
void cp_frozen_exit(void);
void cp_frozen_keep(struct cp_frozen *frozen, struct mm_struct *mm, size_t bytes);
void cp_frozen_drop(struct cp_frozen *frozen);
struct mm_struct *cp_frozen_get(struct cp_frozen *frozen);
ssize_t cp_frozen_read(struct cp_frozen *frozen, char __user *to, size_t size,
		       u64 addr);
loff_t cp_frozen_seek(struct cp_frozen *frozen, u64 addr);

#endif /* _CP_FROZEN_H */
