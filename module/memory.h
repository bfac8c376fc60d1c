/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the current task's memory without changing it: no page is allocated,
 * in the task or in a file that it maps, because somebody looked at it. What
 * process_vm_readv(2) refuses to read is not read here either: device memory,
 * mappings without PROT_READ, and memfd_secret(2).
 *
 * A page that is there is copied with page faults disabled, under mmap_lock, so
 * that the mapping which was checked is the mapping that is read.
 */
#ifndef _CP_MEMORY_H
#define _CP_MEMORY_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct cp_memory - a walk over the current task's memory
 * @vma:	the mapping of the address read last, or NULL; under mmap_lock
 * @locked:	mmap_lock is held for reading
 * @absent:	pages were met that are not in the page table
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
