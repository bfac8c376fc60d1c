// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the current task's memory without changing it.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/hugetlb_inline.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>
#include <linux/xarray.h>

#include "compat.h"
#include "memory.h"

/**
 * cp_memory_lock - begin a walk, or continue it after cp_memory_unlock()
 * @memory: the walk; zeroed before the first call
 *
 * Return: 0, or -EINTR when the task is being killed.
 */
int cp_memory_lock(struct cp_memory *memory)
{
	cp_memory_enter(memory, NULL);
	memory->locked = !mmap_read_lock_killable(current->mm);
	return memory->locked ? 0 : -EINTR;
}

/**
 * cp_memory_trylock - begin a walk without waiting
 * @memory: the walk, zeroed
 *
 * Return: false when mmap_lock is not free.
 */
bool cp_memory_trylock(struct cp_memory *memory)
{
	memory->locked = mmap_read_trylock(current->mm);
	return memory->locked;
}

/**
 * cp_memory_unlock - end or interrupt a walk
 * @memory: the walk
 */
void cp_memory_unlock(struct cp_memory *memory)
{
	if (memory->locked)
		mmap_read_unlock(current->mm);
	memory->locked = false;
	cp_memory_enter(memory, NULL);
}

/* vma_is_secretmem() is not exported. */
static bool is_secret(const struct vm_area_struct *vma)
{
	return vma->vm_file &&
	       file_inode(vma->vm_file)->i_sb->s_magic == SECRETMEM_MAGIC;
}

/*
 * May the mapping be read on the master's behalf? The rule of check_vma_flags()
 * without FOLL_FORCE. Device memory may also act on being read.
 */
static bool is_readable(const struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_READ &&
	       !(vma->vm_flags & (VM_IO | VM_PFNMAP)) && !is_secret(vma);
}

/**
 * cp_memory_enter - set the mapping that is read next
 * @memory: the walk, locked
 * @vma: the mapping, or NULL
 *
 * Optional: the functions that read find the mapping themselves.
 */
void cp_memory_enter(struct cp_memory *memory, struct vm_area_struct *vma)
{
	bool readable = vma && is_readable(vma);

	memory->vma = vma;
	memory->start = readable ? vma->vm_start : 0;
	memory->end = readable ? vma->vm_end : 0;
}

/* Enters the mapping of @addr; false when it must not be read. */
static bool enter_mapping_of(struct cp_memory *memory, u64 addr)
{
	struct vm_area_struct *vma = memory->vma;

	lockdep_assert_held(&current->mm->mmap_lock);
	if (!vma || addr < vma->vm_start || addr >= vma->vm_end) {
		vma = find_vma(current->mm, addr);
		cp_memory_enter(memory, vma && addr >= vma->vm_start ? vma : NULL);
	}
	return memory->end;
}

/*
 * Has the page table no entry for @addr at all, not even one of a swapped page?
 * With interrupts off no page table is freed, as for get_user_pages_fast().
 */
static bool has_no_entry(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgdp = pgd_offset(mm, addr), pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;

	lockdep_assert_irqs_disabled();
	if (pgd_none(pgd))
		return true;
	p4dp = p4d_offset_lockless(pgdp, pgd, addr);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d))
		return true;
	pudp = pud_offset_lockless(p4dp, p4d, addr);
	pud = READ_ONCE(*pudp);
	if (pud_none(pud))
		return true;
	if (!pud_present(pud) || pud_leaf(pud))
		return false;
	pmdp = pmd_offset_lockless(pudp, pud, addr);
	pmd = READ_ONCE(*pmdp);
	if (pmd_none(pmd))
		return true;
	if (!pmd_present(pmd) || pmd_leaf(pmd))
		return false;
	return pte_none(READ_ONCE(*pte_offset_kernel(&pmd, addr)));
}

/* Has the task never touched this anonymous page? Then the page reads as zeroes. */
static bool is_untouched(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long flags;
	bool none;

	/* A userfaultfd monitor would fill the page. */
	if (!vma_is_anonymous(vma) || userfaultfd_missing(vma))
		return false;
	local_irq_save(flags);
	none = has_no_entry(vma->vm_mm, addr);
	local_irq_restore(flags);
	return none;
}

/**
 * cp_memory_read_late_slow - cp_memory_read_late() where the common case has failed
 * @memory: as there
 * @to: as there
 * @addr: as there
 * @size: as there
 *
 * Return: as there.
 */
bool cp_memory_read_late_slow(struct cp_memory *memory, void *to, u64 addr,
			      size_t size)
{
	if (!enter_mapping_of(memory, addr))
		return false;
	if (cp_memory_read_present(memory, to, addr, size))
		return true;
	if (!is_untouched(memory->vma, addr))
		return false;
	memset(to, 0, size);
	return true;
}

/*
 * Has this page of a file on tmpfs never been written? A fault would allocate it.
 * If the mapping has an anon_vma, the page may be a private copy that is swapped out
 * or migrating, which only a fault can find out.
 */
static bool is_hole_in_tmpfs(struct vm_area_struct *vma, u64 addr)
{
	pgoff_t index = linear_page_index(vma, addr);
	struct address_space *mapping;

	if (!vma->vm_file || vma->anon_vma)
		return false;
	mapping = vma->vm_file->f_mapping;
	return mapping->host->i_sb->s_magic == TMPFS_MAGIC &&
	       index < DIV_ROUND_UP(i_size_read(mapping->host), PAGE_SIZE) &&
	       !xa_load(&mapping->i_pages, index);
}

/*
 * The page at @addr, with a reference: a page that is swapped out, or in a file's
 * page cache. NULL if no page exists; FOLL_DUMP does not allocate one. May drop
 * mmap_lock and take it again.
 */
static struct page *get_absent_page(struct cp_memory *memory, u64 addr)
{
	struct page *page = NULL;
	int locked = 1;
	long got;

	got = cp_get_user_pages_remote(current->mm, addr & PAGE_MASK, 1,
				       FOLL_DUMP, &page, &locked);
	if (!locked)
		cp_memory_lock(memory);
	return got == 1 ? page : NULL;
}

static bool read_absent(struct cp_memory *memory, void *to, u64 addr,
			size_t size)
{
	bool monitored = userfaultfd_missing(memory->vma);
	bool hole = is_hole_in_tmpfs(memory->vma, addr);
	bool huge = is_vm_hugetlb_page(memory->vma);
	struct page *page = NULL;
	void *from;

	memory->absent = true;
	if (!hole)
		page = get_absent_page(memory, addr);
	if (!page) {
		memset(to, 0, size);
		/* A huge page that does not exist reads as zeroes, as a hole does. */
		return (hole || huge) && !monitored;
	}
	from = kmap_local_page(page);
	memcpy(to, from + offset_in_page(addr), size);
	kunmap_local(from);
	put_page(page);
	return true;
}

/**
 * cp_memory_read_slow - cp_memory_read() where the common case has failed
 * @memory: as there
 * @to: as there
 * @addr: as there
 * @size: as there
 *
 * Return: as there.
 */
bool cp_memory_read_slow(struct cp_memory *memory, void *to, u64 addr, size_t size)
{
	if (cp_memory_read_late_slow(memory, to, addr, size))
		return true;
	if (memory->end)
		return read_absent(memory, to, addr, size);
	memset(to, 0, size);
	return false;
}
