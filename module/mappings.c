// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mappings of a process: mappings.h.
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "mappings.h"

/**
 * struct cp_mapping - one mapping
 * @start:	first address
 * @end:	first address after it
 * @flags:	VM_*
 * @pgoff:	with a file: where it begins there, in pages
 * @ops:	what implements it; NULL for anonymous memory
 * @dev:	with a file: the file's device
 * @ino:	with a file: the file's number there
 * @generation:	with a file: which one of those that have had the number
 * @name:	that prctl(PR_SET_VMA) has given to it, or NULL
 */
struct cp_mapping {
	unsigned long start;
	unsigned long end;
	unsigned long flags;
	unsigned long pgoff;
	const void *ops;
	dev_t dev;
	unsigned long ino;
	u32 generation;
	char *name;
};

/* Flags that say nothing about what the program can do. */
#define IDLE_FLAGS	(VM_ACCOUNT | VM_SOFTDIRTY)

/* All flags that a mapping may have to be mapped again. */
#define PLAIN_FLAGS	(VM_READ | VM_WRITE | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | \
			 VM_MAYEXEC | VM_NORESERVE | IDLE_FLAGS)

static int mapping_fill(struct cp_mapping *mapping, const struct vm_area_struct *vma)
{
	const char *name = cp_anon_name((struct vm_area_struct *)vma);

	mapping->start = vma->vm_start;
	mapping->end = vma->vm_end;
	mapping->flags = vma->vm_flags & ~IDLE_FLAGS;
	mapping->ops = vma->vm_ops;
	if (vma->vm_file) {
		const struct inode *inode = file_inode(vma->vm_file);

		mapping->pgoff = vma->vm_pgoff;
		mapping->dev = inode->i_sb->s_dev;
		mapping->ino = inode->i_ino;
		mapping->generation = inode->i_generation;
	}
	if (!name)
		return 0;
	mapping->name = kstrdup(name, GFP_KERNEL_ACCOUNT);
	return mapping->name ? 0 : -ENOMEM;
}

static int mappings_fill_locked(struct cp_mappings *mappings, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	int ret;

	mappings->at = kvcalloc(mm->map_count, sizeof(*mappings->at), GFP_KERNEL_ACCOUNT);
	if (!mappings->at)
		return -ENOMEM;
	mappings->brk = mm->brk;
	for_each_vma(vmi, vma) {
		/* A gate of the kernel's own is not counted. */
		if (mappings->nr == mm->map_count)
			break;
		ret = mapping_fill(&mappings->at[mappings->nr++], vma);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * cp_mappings_make - describe those of a process that is held
 * @mappings: filled in, zeroed before; on failure, cp_mappings_free() is still to be called
 * @mm: the memory
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; -EINTR when the caller is killed.
 */
int cp_mappings_make(struct cp_mappings *mappings, struct mm_struct *mm)
{
	int ret;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	ret = mappings_fill_locked(mappings, mm);
	mmap_read_unlock(mm);
	return ret;
}

/**
 * cp_mappings_free - free them
 * @mappings: zeroed or made
 */
void cp_mappings_free(struct cp_mappings *mappings)
{
	unsigned int i;

	for (i = 0; i < mappings->nr; i++)
		kfree(mappings->at[i].name);
	kvfree(mappings->at);
	memset(mappings, 0, sizeof(*mappings));
}

/**
 * cp_mappings_bytes - how much memory they need
 * @mappings: the mappings
 *
 * Return: bytes.
 */
size_t cp_mappings_bytes(const struct cp_mappings *mappings)
{
	return mappings->nr * sizeof(*mappings->at);
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_file(const struct cp_mapping *mapping,
		      const struct vm_area_struct *vma)
{
	const struct inode *inode;

	if (!vma->vm_file)
		return !mapping->ino && !mapping->dev;
	inode = file_inode(vma->vm_file);
	return mapping->dev == inode->i_sb->s_dev && mapping->ino == inode->i_ino &&
	       mapping->generation == inode->i_generation &&
	       mapping->pgoff - (mapping->start >> PAGE_SHIFT) ==
		       vma->vm_pgoff - (vma->vm_start >> PAGE_SHIFT);
}

/* Is the mapping the same, where both are? */
static bool same_mapping(const struct cp_mapping *mapping,
			 const struct vm_area_struct *vma)
{
	return mapping->flags == (vma->vm_flags & ~IDLE_FLAGS) &&
	       mapping->ops == vma->vm_ops && same_file(mapping, vma) &&
	       same_name(mapping->name, cp_anon_name((struct vm_area_struct *)vma));
}

/* May what is there now be unmapped? */
static int check_removable(const struct vm_area_struct *vma)
{
	if (vma->vm_flags & CP_VM_SEALED)
		return -EMEDIUMTYPE;
	/* The kernel's own, as that of uprobes. */
	if (!vma->vm_file && vma->vm_ops && !(vma->vm_flags & VM_MAYSHARE))
		return -EADDRNOTAVAIL;
	return 0;
}

/* May it be mapped again? */
static int check_plain(const struct cp_mapping *mapping, const struct mm_struct *mm)
{
	bool adds_exec = current->personality & READ_IMPLIES_EXEC &&
			 (mapping->flags & (VM_READ | VM_EXEC)) == VM_READ;

	if (mapping->ops || mapping->ino || mapping->dev || mapping->name ||
	    mapping->flags & ~PLAIN_FLAGS || mm->def_flags || adds_exec)
		return -EADDRNOTAVAIL;
	return 0;
}

/* May what is in it be restored? Of some areas a fork gives nothing to the child. */
static int check_content(const struct cp_mapping *mapping)
{
	return mapping->flags & (VM_DONTCOPY | VM_WIPEONFORK) ? -EMEDIUMTYPE : 0;
}

static bool is_foreign(unsigned long flags)
{
	return flags & (VM_MAYSHARE | VM_IO | VM_PFNMAP);
}

static int steps_add(struct cp_steps *steps, struct cp_step step)
{
	struct cp_step *last = steps->nr ? &steps->at[steps->nr - 1] : NULL;

	if (last && last->end == step.start && last->kind == step.kind &&
	    last->flags == step.flags) {
		last->end = step.end;
		return 0;
	}
	/* A range begins where a mapping begins or ends, then or now. */
	if (WARN_ON_ONCE(steps->nr == steps->room))
		return -ENOMEM;
	steps->at[steps->nr++] = step;
	return 0;
}

/* A range with one mapping then, or none, and one mapping now, or none. */
static int steps_add_range(struct cp_steps *steps, struct mm_struct *mm,
			   const struct cp_mapping *then,
			   const struct vm_area_struct *now,
			   unsigned long start, unsigned long end)
{
	struct cp_step step = { .kind = CP_STEP_UNMAP, .start = start, .end = end };
	bool same = then && now && same_mapping(then, now);
	int ret = 0;

	if (!then && !now)
		return 0;
	if (same && is_foreign(then->flags))
		return 0;
	if (then)
		ret = check_content(then);
	if (!ret && !same && now)
		ret = check_removable(now);
	if (!ret && !same && then)
		ret = check_plain(then, mm);
	if (ret)
		return ret;
	if (then) {
		step.kind = same ? CP_STEP_KEEP : CP_STEP_MAP;
		step.flags = then->flags;
	}
	return steps_add(steps, step);
}

static int steps_find_locked(struct cp_steps *steps, const struct cp_mappings *mappings,
			     struct mm_struct *mm)
{
	const struct cp_mapping *then = mappings->at, *past = then + mappings->nr;
	unsigned long addr = 0, end;
	struct vm_area_struct *now;
	int ret = 0;

	while (!ret && addr < TASK_SIZE_MAX) {
		while (then < past && then->end <= addr)
			then++;
		now = find_vma(mm, addr);
		end = TASK_SIZE_MAX;
		if (then < past)
			end = min(end, then->start > addr ? then->start : then->end);
		if (now)
			end = min(end, now->vm_start > addr ? now->vm_start : now->vm_end);
		ret = steps_add_range(steps, mm,
				      then < past && then->start <= addr ? then : NULL,
				      now && now->vm_start <= addr ? now : NULL,
				      addr, end);
		addr = end;
	}
	return ret;
}

/**
 * cp_steps_find - find the way to mappings
 * @steps: filled in, zeroed before; on failure, cp_steps_free() is still to be called
 * @mappings: the mappings
 * @mm: the memory, whose process is held
 *
 * Changes nothing. May sleep.
 *
 * Return: 0; -EADDRNOTAVAIL when a mapping would have to be made that cannot be, or one of
 * the kernel's own removed; -EMEDIUMTYPE when a sealed mapping would have to be removed, or
 * the content of a mapping is not in the snapshot; -ENOMEM; -EINTR when the caller is
 * killed.
 */
int cp_steps_find(struct cp_steps *steps, const struct cp_mappings *mappings,
		  struct mm_struct *mm)
{
	int ret;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	steps->room = 2 * (mappings->nr + mm->map_count) + 1;
	steps->at = kvcalloc(steps->room, sizeof(*steps->at), GFP_KERNEL_ACCOUNT);
	ret = steps->at ? steps_find_locked(steps, mappings, mm) : -ENOMEM;
	mmap_read_unlock(mm);
	return ret;
}

/**
 * cp_steps_free - free what cp_steps_find() allocated
 * @steps: the steps
 */
void cp_steps_free(struct cp_steps *steps)
{
	kvfree(steps->at);
	memset(steps, 0, sizeof(*steps));
}

static int step_map(const struct cp_step *step)
{
	unsigned long prot = 0, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, addr;

	if (step->flags & VM_READ)
		prot |= PROT_READ;
	if (step->flags & VM_WRITE)
		prot |= PROT_WRITE;
	if (step->flags & VM_EXEC)
		prot |= PROT_EXEC;
	if (step->flags & VM_NORESERVE)
		flags |= MAP_NORESERVE;
	addr = vm_mmap(NULL, step->start, step->end - step->start, prot, flags, 0);
	return IS_ERR_VALUE(addr) ? (int)addr : 0;
}

static int steps_take_kind(const struct cp_steps *steps, enum cp_step_kind kind)
{
	const struct cp_step *step;
	int ret = 0;

	for (step = steps->at; !ret && step < steps->at + steps->nr; step++) {
		if (step->kind != kind)
			continue;
		ret = kind == CP_STEP_MAP ?
			      step_map(step) :
			      vm_munmap(step->start, step->end - step->start);
		cond_resched();
	}
	return ret;
}

static int set_brk(unsigned long brk)
{
	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	current->mm->brk = brk;
	mmap_write_unlock(current->mm);
	return 0;
}

/**
 * cp_steps_take - give the current process its mappings again
 * @steps: from cp_steps_find()
 * @mappings: the mappings
 *
 * Ranges that are mapped again are empty. May sleep.
 *
 * Return: 0; or an error, after which the process has some of both.
 */
int cp_steps_take(const struct cp_steps *steps, const struct cp_mappings *mappings)
{
	/* In this order: limits count what is mapped. */
	return steps_take_kind(steps, CP_STEP_UNMAP) ?:
	       steps_take_kind(steps, CP_STEP_MAP) ?: set_brk(mappings->brk);
}
