/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the current task's memory without changing it: reading allocates no page,
 * neither in the task nor in a file that it maps. What process_vm_readv(2) refuses
 * to read is not read here either: device memory, mappings without PROT_READ, and
 * memfd_secret(2).
 *
 * A page that is present is copied under mmap_lock with page faults disabled, so
 * that the mapping that was checked is the mapping that is read.
 */
#ifndef _CP_MEMORY_H
#define _CP_MEMORY_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct cp_memory - a walk over the current task's memory
 * @vma:	the mapping of the address read last, or NULL; under mmap_lock
 * @locked:	mmap_lock is held for reading
 * @absent:	the walk has met pages that are not in the page table
 */
struct cp_memory {
	struct vm_area_struct *vma;
	bool locked;
	bool absent;
};

int cp_memory_lock(struct cp_memory *memory);
bool cp_memory_trylock(struct cp_memory *memory);
void cp_memory_unlock(struct cp_memory *memory);
bool cp_memory_read(struct cp_memory *memory, void *to, u64 addr, size_t size);
bool cp_memory_read_present(struct cp_memory *memory, void *to, u64 addr,
			    size_t size);

#endif /* _CP_MEMORY_H */
