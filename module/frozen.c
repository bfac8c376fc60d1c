// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frozen memory: frozen.h.
 */
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "frozen.h"
#include "pages.h"

static LIST_HEAD(all_frozen);
static DEFINE_SPINLOCK(frozen_lock);	/* the list, and cp_frozen.mm */

/**
 * cp_frozen_keep - keep frozen memory
 * @frozen: set up
 * @mm: the memory, with the caller's reference
 * @bytes: what it can come to keep alone
 */
void cp_frozen_keep(struct cp_frozen *frozen, struct mm_struct *mm, size_t bytes)
{
	frozen->mm = mm;
	frozen->bytes = bytes;
	spin_lock(&frozen_lock);
	list_add_tail(&frozen->node, &all_frozen);
	spin_unlock(&frozen_lock);
}

static struct mm_struct *frozen_remove_locked(struct cp_frozen *frozen)
{
	struct mm_struct *mm = frozen->mm;

	lockdep_assert_held(&frozen_lock);
	frozen->mm = NULL;
	if (mm)
		list_del(&frozen->node);
	return mm;
}

/**
 * cp_frozen_drop - the memory is not needed any more
 * @frozen: the memory
 *
 * May sleep.
 */
void cp_frozen_drop(struct cp_frozen *frozen)
{
	struct mm_struct *mm;

	spin_lock(&frozen_lock);
	mm = frozen_remove_locked(frozen);
	spin_unlock(&frozen_lock);
	if (mm)
		mmput(mm);
}

/**
 * cp_frozen_get - get the memory
 * @frozen: the memory
 *
 * Return: the memory, with a reference on its pages for the caller; NULL when it has been
 * dropped.
 */
struct mm_struct *cp_frozen_get(struct cp_frozen *frozen)
{
	struct mm_struct *mm;

	spin_lock(&frozen_lock);
	mm = frozen->mm;
	if (mm)
		mmget(mm);
	spin_unlock(&frozen_lock);
	return mm;
}

static struct mm_struct *remove_largest(size_t *bytes)
{
	struct cp_frozen *frozen, *largest = NULL;
	struct mm_struct *mm = NULL;

	spin_lock(&frozen_lock);
	list_for_each_entry(frozen, &all_frozen, node)
		if (!largest || frozen->bytes > largest->bytes)
			largest = frozen;
	if (largest) {
		*bytes = largest->bytes;
		mm = frozen_remove_locked(largest);
	}
	spin_unlock(&frozen_lock);
	return mm;
}

/* The machine is out of memory, and is about to kill a process. */
static int frozen_oom(struct notifier_block *block, unsigned long unused, void *data)
{
	unsigned long *freed = data;
	struct mm_struct *mm;
	size_t bytes;

	mm = remove_largest(&bytes);
	if (!mm)
		return NOTIFY_DONE;
	/* Not mmput(): the caller may hold locks that unmapping needs. */
	mmput_async(mm);
	*freed += max_t(size_t, bytes >> PAGE_SHIFT, 1);
	return NOTIFY_OK;
}

static struct notifier_block oom_block = {
	.notifier_call	= frozen_oom,
};

/**
 * cp_frozen_init - begin to drop memory when the machine has too little
 *
 * Return: 0, or an error.
 */
int cp_frozen_init(void)
{
	return register_oom_notifier(&oom_block);
}

/**
 * cp_frozen_exit - undo cp_frozen_init()
 */
void cp_frozen_exit(void)
{
	unregister_oom_notifier(&oom_block);
}

static int copy_page_out(struct page *page, char __user *to, size_t size,
			 unsigned int offset)
{
	unsigned long left;
	char *from;

	if (!page)
		return clear_user(to, size) ? -EFAULT : 0;
	from = kmap_local_page(page);
	left = copy_to_user(to, from + offset, size);
	kunmap_local(from);
	put_page(page);
	return left ? -EFAULT : 0;
}

/* Reads from one page. */
static int read_piece(struct mm_struct *mm, char __user *to, size_t size, u64 addr)
{
	struct page *page = cp_pages_get(mm, addr, CP_FROZEN_NOT);
	int ret;

	if (IS_ERR(page))
		return PTR_ERR(page);
	ret = copy_page_out(page, to, size, offset_in_page(addr));
	/* The reaper has emptied it: pages that were there read as zeroes. */
	if (cp_mm_is_unstable(mm))
		return -ENODATA;
	return ret;
}

/**
 * cp_frozen_read - read frozen memory
 * @frozen: the memory
 * @to: to here
 * @size: how many bytes
 * @addr: from this address
 *
 * Return: how many bytes have been read; -ENODATA when the memory has been dropped; -EIO
 * when there is no private memory at @addr; -EFAULT; -EINTR.
 */
ssize_t cp_frozen_read(struct cp_frozen *frozen, char __user *to, size_t size,
		       u64 addr)
{
	struct mm_struct *mm = cp_frozen_get(frozen);
	size_t done = 0;
	int ret = 0;

	if (!mm)
		return -ENODATA;
	while (done < size) {
		size_t piece = min_t(size_t, size - done,
				     PAGE_SIZE - offset_in_page(addr + done));

		ret = addr + done < TASK_SIZE_MAX ?
			      read_piece(mm, to + done, piece, addr + done) :
			      -EIO;
		if (ret)
			break;
		done += piece;
		cond_resched();
	}
	mmput(mm);
	return done ?: ret;
}

/*
 * Finds the mapping at or after @addr that can be read. Sets @addr to where it can be other
 * than zeroes, and @end to its end; returns -ENXIO when there is none.
 */
static int next_mapping(struct mm_struct *mm, unsigned long *addr, unsigned long *end,
			bool *anonymous)
{
	VMA_ITERATOR(vmi, mm, *addr);
	struct vm_area_struct *vma;
	int ret = -ENXIO;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma(vmi, vma) {
		if (vma->vm_flags & CP_FROZEN_NOT)
			continue;
		*addr = max(*addr, vma->vm_start);
		*end = vma->vm_end;
		*anonymous = vma_is_anonymous(vma);
		ret = 0;
		break;
	}
	mmap_read_unlock(mm);
	return ret;
}

/* Nobody changes the mappings of frozen memory. */
static loff_t seek_data(struct mm_struct *mm, unsigned long addr)
{
	unsigned long end, next;
	bool anonymous;
	int ret;

	for (;;) {
		ret = next_mapping(mm, &addr, &end, &anonymous);
		/* What is absent from the page table may be in the file. */
		if (ret || !anonymous)
			return ret ?: (loff_t)addr;
		ret = cp_pages_next(mm, addr, end, &next);
		if (ret)
			return ret;
		if (next < end)
			return next;
		addr = end;
	}
}

/**
 * cp_frozen_seek - find memory that may be other than zeroes
 * @frozen: the memory
 * @addr: from this address on
 *
 * Return: its first address; -ENXIO when there is none; -ENODATA when the memory has been
 * dropped; -EINTR.
 */
loff_t cp_frozen_seek(struct cp_frozen *frozen, u64 addr)
{
	struct mm_struct *mm = cp_frozen_get(frozen);
	loff_t next;

	if (!mm)
		return -ENODATA;
	next = addr < TASK_SIZE_MAX ? seek_data(mm, addr) : -ENXIO;
	mmput(mm);
	return next;
}
