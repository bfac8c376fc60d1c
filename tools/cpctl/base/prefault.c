// SPDX-License-Identifier: GPL-2.0-only
/* Page faults of cpctl's own code, before a slave is held. */
#include <stdint.h>
#include <sys/mman.h>

#include "prefault.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

void prefault_code(void)
{
	uintptr_t start = (uintptr_t)__executable_start;
	size_t size = (uintptr_t)etext - start;

	madvise((void *)start, size, MADV_POPULATE_READ);
}
