/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages of a process, or of frozen memory: which ones the page table names, without
 * changing it, and one page with a reference.
 *
 * A page has a key. If the same address has the same key in two processes, both name the
 * same physical page, in memory or in swap, or none. CP_KEY_NONE stands for no page: the
 * address reads as zeroes, or as the file that is mapped there.
 */
#ifndef _CP_PAGES_H
#define _CP_PAGES_H

#include <linux/bitmap.h>
#include <linux/pgtable.h>
#include <linux/types.h>

struct mm_struct;
struct page;
struct task_struct;

#define CP_KEY_NONE	0UL
/* The page is being moved: only cp_pages_get() can find it. */
#define CP_KEY_UNKNOWN	(~0UL)

/* The pages of one page table, whose keys one call gives. */
#define CP_TABLE_PAGES	PTRS_PER_PTE
#define CP_TABLE_SIZE	PMD_SIZE

/**
 * struct cp_table - the keys of one page table
 * @keys:	the keys; only those that were wanted have a meaning
 */
struct cp_table {
	unsigned long keys[CP_TABLE_PAGES];
};

int cp_pages_next(struct mm_struct *mm, unsigned long addr, unsigned long end,
		  unsigned long *next);
int cp_pages_keys(struct mm_struct *mm, unsigned long start,
		  const unsigned long *wanted, bool own, struct cp_table *table);
struct page *cp_pages_get(struct mm_struct *mm, unsigned long addr,
			  unsigned long refused);
bool cp_pages_count(struct mm_struct *mm, struct task_struct *process, long *count);

/**
 * cp_key_is_page - does a key stand for a page?
 * @key: the key, not CP_KEY_UNKNOWN
 *
 * Return: true when the process has a page of its own there.
 */
static inline bool cp_key_is_page(unsigned long key)
{
	return key != CP_KEY_NONE;
}

#endif /* _CP_PAGES_H */
