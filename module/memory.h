/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the current task's memory without changing it: reading allocates no page,
 * neither in the task nor in a file that it maps; is_hole_in_tmpfs() has the exception.
 * What process_vm_readv(2) refuses to read is not read here either: device memory,
 * mappings without PROT_READ, and memfd_secret(2).
 *
 * A page that is present is copied under mmap_lock with page faults disabled, so
 * that the mapping that was checked is the mapping that is read.
 */
#ifndef _CP_MEMORY_H
#define _CP_MEMORY_H

#include <linux/mm_types.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/**
 * struct cp_memory - a walk over the current task's memory
 * @vma:	the mapping of the address read last, or NULL; under mmap_lock
 * @start:	with @end: the part of @vma that may be read: all of it, or nothing
 * @end:	see @start
 * @locked:	mmap_lock is held for reading
 * @absent:	the walk has met pages that are not in the page table
 */
struct cp_memory {
	struct vm_area_struct *vma;
	u64 start;
	u64 end;
	bool locked;
	bool absent;
};

int cp_memory_lock(struct cp_memory *memory);
bool cp_memory_trylock(struct cp_memory *memory);
void cp_memory_unlock(struct cp_memory *memory);
void cp_memory_enter(struct cp_memory *memory, struct vm_area_struct *vma);
bool cp_memory_read_slow(struct cp_memory *memory, void *to, u64 addr,
			 size_t size);
bool cp_memory_read_late_slow(struct cp_memory *memory, void *to, u64 addr,
			      size_t size);

/* The common case: a page of @memory->vma that is present. */
static __always_inline bool cp_memory_read_present(const struct cp_memory *memory,
						   void *to, u64 addr,
						   size_t size)
{
	size_t left;

	if (unlikely(addr < memory->start || addr >= memory->end))
		return false;
	pagefault_disable();
	/* Not copy_from_user(): @to needs no check, it is a part of a page. */
	left = raw_copy_from_user(to, u64_to_user_ptr(addr), size);
	pagefault_enable();
	return likely(!left);
}

/**
 * cp_memory_read - copy from one page
 * @memory: the walk; mmap_lock may be dropped and taken again, or stay dropped if
 *	the task is being killed
 * @to: where the bytes go; zeroes where memory cannot be read
 * @addr: the first one's address in the task
 * @size: their number; not beyond the end of the page
 *
 * May sleep.
 *
 * Return: false when @to received zeroes that the task would not read.
 */
static inline bool cp_memory_read(struct cp_memory *memory, void *to, u64 addr,
				  size_t size)
{
	return cp_memory_read_present(memory, to, addr, size) ||
	       cp_memory_read_slow(memory, to, addr, size);
}

/**
 * cp_memory_read_late - copy from a page that is present, or was never touched
 * @memory: the walk, locked
 * @to: where the bytes go
 * @addr: the first one's address in the task
 * @size: their number; not beyond the end of the page
 *
 * Any context.
 *
 * Return: false when a byte is not present, or must not be read.
 */
static inline bool cp_memory_read_late(struct cp_memory *memory, void *to,
				       u64 addr, size_t size)
{
	return cp_memory_read_present(memory, to, addr, size) ||
	       cp_memory_read_late_slow(memory, to, addr, size);
}

#endif /* _CP_MEMORY_H */
