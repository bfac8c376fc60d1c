// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a process: pages.h.
 *
 * The kernel exports no walk over page tables that leaves them as they are:
 * get_user_pages_remote() reads absent pages of files, and brings swapped pages back. So
 * the tables are walked here, under mmap_lock and only inside of mappings, whose tables
 * cannot be freed then, and each table under its lock.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/hugetlb_inline.h>
#include <linux/mm.h>
#include <linux/percpu_counter.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "compat.h"
#include "pages.h"

/* Can the process have pages of its own there? */
static bool is_walked(const struct vm_area_struct *vma)
{
	return !(vma->vm_flags & VM_MAYSHARE) &&
	       !is_vm_hugetlb_page((struct vm_area_struct *)vma);
}

/*
 * The entry of the page table for @addr, which lies in a mapping. NULL if there is none;
 * then @end is set to where the next one can be.
 */
static pmd_t *find_pmd(struct mm_struct *mm, unsigned long addr, unsigned long *end)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	*end = ALIGN_DOWN(addr, PGDIR_SIZE) + PGDIR_SIZE;
	if (pgd_none(*pgd) || unlikely(pgd_bad(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	*end = ALIGN_DOWN(addr, P4D_SIZE) + P4D_SIZE;
	if (p4d_none(*p4d) || unlikely(p4d_bad(*p4d)))
		return NULL;
	pud = pud_offset(p4d, addr);
	*end = ALIGN_DOWN(addr, PUD_SIZE) + PUD_SIZE;
	/* A huge one belongs to a device or a file. */
	if (pud_none(*pud) || pud_leaf(*pud) || unlikely(pud_bad(*pud)))
		return NULL;
	*end = ALIGN_DOWN(addr, PMD_SIZE) + PMD_SIZE;
	return pmd_offset(pud, addr);
}

/**
 * struct reading - which pages are to be read
 * @start:	the address of the table's first page
 * @wanted:	a bit for each of its pages
 * @from:	the first page that may be read
 * @to:		after the last one
 * @own:	a page is one of the process's own, or none
 */
struct reading {
	unsigned long start;
	const unsigned long *wanted;
	unsigned int from, to;
	bool own;
};

static unsigned long key_of_page(const struct reading *reading, struct page *page)
{
	/* All others are zeroes, or belong to a file or a device. */
	if (reading->own && !PageAnon(page))
		return CP_KEY_NONE;
	return page_to_pfn(page) << 1 | 1;
}

static unsigned long key_of_pte(const struct reading *reading, pte_t pte)
{
	unsigned long swap;

	if (pte_none(pte))
		return CP_KEY_NONE;
	if (!pte_present(pte)) {
		swap = cp_pte_swap(pte);
		return swap ? swap << 1 : CP_KEY_UNKNOWN;
	}
	if (!reading->own)
		return pte_pfn(pte) << 1 | 1;
	return pte_special(pte) ? CP_KEY_NONE :
				  key_of_page(reading, pte_page(pte));
}

static void fill_keys(const struct reading *reading, struct cp_table *table,
		      unsigned long key)
{
	unsigned int i = reading->from;

	for_each_set_bit_from(i, reading->wanted, reading->to)
		table->keys[i] = key;
}

/* A huge page; false if it is not one any more. */
static bool read_huge(struct mm_struct *mm, pmd_t *pmd, const struct reading *reading,
		      struct cp_table *table)
{
	spinlock_t *lock = pmd_lock(mm, pmd);
	bool huge = pmd_present(*pmd) && pmd_leaf(*pmd);
	unsigned int i = reading->from;

	if (huge)
		for_each_set_bit_from(i, reading->wanted, reading->to)
			table->keys[i] = key_of_page(reading, pmd_page(*pmd) + i);
	spin_unlock(lock);
	return huge;
}

/* A table of pages; false if @seen is not its entry any more. */
static bool read_table(struct mm_struct *mm, pmd_t *pmd, pmd_t seen,
		       const struct reading *reading, struct cp_table *table)
{
	pte_t *pte = pte_offset_kernel(&seen, reading->start);
	spinlock_t *lock = pte_lockptr(mm, &seen);
	unsigned int i = reading->from;
	bool same;

	spin_lock(lock);
	same = pmd_same(seen, READ_ONCE(*pmd));
	if (same)
		for_each_set_bit_from(i, reading->wanted, reading->to)
			table->keys[i] = key_of_pte(reading, READ_ONCE(pte[i]));
	spin_unlock(lock);
	return same;
}

static bool try_keys(struct mm_struct *mm, pmd_t *pmd, const struct reading *reading,
		     struct cp_table *table)
{
	pmd_t seen = READ_ONCE(*pmd);

	if (pmd_none(seen))
		return true;
	if (!pmd_present(seen)) {
		fill_keys(reading, table, CP_KEY_UNKNOWN);
		return true;
	}
	if (pmd_leaf(seen))
		return read_huge(mm, pmd, reading, table);
	return unlikely(pmd_bad(seen)) ||
	       read_table(mm, pmd, seen, reading, table);
}

/* In one mapping. */
static void read_keys(struct mm_struct *mm, const struct reading *reading,
		      struct cp_table *table)
{
	unsigned long unused;
	pmd_t *pmd = find_pmd(mm, reading->start + reading->from * PAGE_SIZE, &unused);
	bool done = !pmd;

	/* RCU keeps a table that a huge page of a file replaces meanwhile. */
	rcu_read_lock();
	while (!done) {
		fill_keys(reading, table, CP_KEY_NONE);
		done = try_keys(mm, pmd, reading, table);
	}
	rcu_read_unlock();
}

/**
 * cp_pages_keys - which pages a process has, of those in one page table
 * @mm: its memory, with a reference on its pages
 * @start: the address of the table's first page
 * @wanted: a bit for each of its pages whose key is wanted
 * @own: only pages of the process's own count: if not, others have keys, too
 * @table: the keys that are wanted are set
 *
 * Without @own, a page of a file and a page of zeroes can have a key or none, whether or not
 * the process has read it. May sleep.
 *
 * Return: 0; -EINTR when the caller is killed.
 */
int cp_pages_keys(struct mm_struct *mm, unsigned long start,
		  const unsigned long *wanted, bool own, struct cp_table *table)
{
	VMA_ITERATOR(vmi, mm, start);
	struct reading reading = { start, wanted, 0, CP_TABLE_PAGES, own };
	unsigned long end = start + CP_TABLE_SIZE;
	struct vm_area_struct *vma;

	fill_keys(&reading, table, CP_KEY_NONE);
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma_range(vmi, vma, end) {
		reading.from = (max(start, vma->vm_start) - start) >> PAGE_SHIFT;
		reading.to = (min(end, vma->vm_end) - start) >> PAGE_SHIFT;
		if (is_walked(vma) &&
		    find_next_bit(wanted, reading.to, reading.from) < reading.to)
			read_keys(mm, &reading, table);
	}
	mmap_read_unlock(mm);
	return 0;
}

static unsigned long next_in(struct mm_struct *mm, unsigned long addr,
			     unsigned long end)
{
	while (addr < end) {
		unsigned long next;
		pmd_t *pmd = find_pmd(mm, addr, &next);

		if (pmd && !pmd_none(READ_ONCE(*pmd)))
			break;
		/* 0 after the last address. */
		addr = next ?: end;
	}
	return addr;
}

/**
 * cp_pages_next - skip memory without page tables
 * @mm: the memory, with a reference on its pages
 * @addr: from this address
 * @end: to this one
 * @next: set to where the next page can be; at least @end if there is none
 *
 * May sleep.
 *
 * Return: 0; -EINTR when the caller is killed.
 */
int cp_pages_next(struct mm_struct *mm, unsigned long addr, unsigned long end,
		  unsigned long *next)
{
	VMA_ITERATOR(vmi, mm, addr);
	struct vm_area_struct *vma;

	*next = end;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for_each_vma_range(vmi, vma, end) {
		unsigned long last = min(end, vma->vm_end);
		unsigned long found = next_in(mm, max(addr, vma->vm_start), last);

		if (found < last && is_walked(vma)) {
			*next = found;
			break;
		}
	}
	mmap_read_unlock(mm);
	return 0;
}

/* Memory that was never touched has no page, and none is allocated for it. */
static bool is_zeroes(const struct vm_area_struct *vma, long got)
{
	return got == -EFAULT && vma_is_anonymous((struct vm_area_struct *)vma);
}

/* As cp_pages_get(); -EAGAIN when the lock was dropped, and the mapping may be gone. */
static struct page *try_get(struct mm_struct *mm, unsigned long addr,
			    unsigned long refused)
{
	struct vm_area_struct *vma;
	struct page *page = NULL;
	int locked = 1;
	long got;

	if (mmap_read_lock_killable(mm))
		return ERR_PTR(-EINTR);
	vma = find_vma(mm, addr);
	if (!vma || addr < vma->vm_start || vma->vm_flags & refused) {
		mmap_read_unlock(mm);
		return ERR_PTR(-EIO);
	}
	got = cp_get_user_pages_remote(mm, addr & PAGE_MASK, 1,
				       FOLL_FORCE | FOLL_DUMP, &page, &locked);
	if (!locked)
		return got == 1 ? page : ERR_PTR(-EAGAIN);
	if (got != 1)
		page = is_zeroes(vma, got) ? NULL : ERR_PTR(-EIO);
	mmap_read_unlock(mm);
	return page;
}

/**
 * cp_pages_get - get a page
 * @mm: the memory, with a reference on its pages
 * @addr: an address in it
 * @refused: VM_* flags of mappings that are not read
 *
 * A page that is absent, but belongs to a file or lies in swap, is read. Pages that a program
 * cannot read are read as a debugger does. May sleep.
 *
 * Return: the page, with a reference for the caller; NULL for zeroes; -EIO when there is
 * nothing to read; -EINTR when the caller is killed.
 */
struct page *cp_pages_get(struct mm_struct *mm, unsigned long addr,
			  unsigned long refused)
{
	struct page *page;

	do {
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		page = try_get(mm, addr, refused);
	} while (IS_ERR(page) && PTR_ERR(page) == -EAGAIN);
	return page;
}

/* Tasks keep counts of their own before 6.2; the sums are in the mm_struct since. */
#ifdef CP_HAVE_MM_RSS_STAT
static long cached_count(const struct task_struct *task)
{
#ifdef SPLIT_RSS_COUNTING
	return READ_ONCE(task->rss_stat.count[MM_ANONPAGES]) +
	       READ_ONCE(task->rss_stat.count[MM_SWAPENTS]);
#else
	return 0;
#endif
}

static bool count_cached(struct mm_struct *mm, struct task_struct *process,
			 long *count)
{
	struct task_struct *task;
	int nr = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(task, &process->signal->thread_head, thread_node) {
		if (READ_ONCE(task->mm) != mm)
			continue;
		nr++;
		*count += cached_count(task);
	}
	rcu_read_unlock();
	/* Any other user, besides the caller, may have a count of its own. */
	return atomic_read(&mm->mm_users) == nr + 1;
}

static bool count_once(struct mm_struct *mm, struct task_struct *process, long *count)
{
	*count = atomic_long_read(&mm->rss_stat.count[MM_ANONPAGES]) +
		 atomic_long_read(&mm->rss_stat.count[MM_SWAPENTS]);
	return !process || count_cached(mm, process, count);
}
#else
static bool count_once(struct mm_struct *mm, struct task_struct *process, long *count)
{
	*count = percpu_counter_sum(&mm->rss_stat[MM_ANONPAGES]) +
		 percpu_counter_sum(&mm->rss_stat[MM_SWAPENTS]);
	return true;
}
#endif

/**
 * cp_pages_count - how many pages of its own a process has, in memory and in swap
 * @mm: its memory, with a reference on its pages, which is the caller's only one
 * @process: any of its threads; NULL for memory without tasks
 * @count: set to the number
 *
 * The kernel's own counts as /proc shows them may be off by some dozens of pages on each
 * CPU or in each thread. This one is exact while the process is held.
 *
 * Return: false when the number is not known.
 */
bool cp_pages_count(struct mm_struct *mm, struct task_struct *process, long *count)
{
	long again;

	/* A thread that wakes meanwhile may move its count to @mm. */
	return count_once(mm, process, count) && count_once(mm, process, &again) &&
	       *count == again;
}
