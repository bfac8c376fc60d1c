// SPDX-License-Identifier: GPL-2.0-only
/* Page faults of cpctl, before a slave is held. */
#include <stdint.h>
#include <sys/mman.h>

#include "prefault.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* What most stacks use, in bytes from their base, and for how many threads. */
#define STACK_BYTES 16384
#define PARTS_MAX 64

void prefault_code(void)
{
	uintptr_t start = (uintptr_t)__executable_start;
	size_t size = (uintptr_t)etext - start;

	madvise((void *)start, size, MADV_POPULATE_READ);
}

/* A stack that fits into its slot ends where the slot ends. */
static void prefault_stack(const struct cp_region_head *head)
{
	uintptr_t end = (uintptr_t)head + head->slots_offset + head->slot_size;

	if (head->slot_size >= STACK_BYTES)
		madvise((void *)(end - STACK_BYTES), STACK_BYTES,
			MADV_POPULATE_READ);
}

void prefault_region(const struct cp_pair *pair)
{
	const struct cp_region_head *head;
	unsigned int i;

	/* The access to the head maps the header of the slot, too. */
	for (i = 0; i < PARTS_MAX && (head = cp_pair_part(pair, i)); i++) {
		if (!__atomic_load_n(&head->newest, __ATOMIC_RELAXED))
			prefault_stack(head);
	}
}
