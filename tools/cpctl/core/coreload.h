/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory that a core holds: the checkpoint's, and around it some more. */
#ifndef CORELOAD_H
#define CORELOAD_H

#include "memory.h"

/*
 * struct coreload - a stretch of memory
 * @addr: its address in the slave, the beginning of a page
 * @size: its length; up to one page is filled up with zeroes at the beginning
 *	of what the checkpoint holds, and nothing is at its end
 * @later: it is not from the instant of the checkpoint, but was read later
 * @flags: PF_* as in an ELF program header
 */
struct coreload {
	uint64_t	addr;
	uint64_t	size;
	bool		later;
	uint32_t	flags;
};

/* struct coreloads - by ascending address, none overlaps another */
struct coreloads {
	size_t		nr;
	size_t		room;
	struct coreload	*load;
};

/*
 * coreloads_make() - find out what there is
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int coreloads_make(struct coreloads *loads, const struct memory *memory);

/* coreloads_free() - free what it holds */
void coreloads_free(struct coreloads *loads);

#endif /* CORELOAD_H */
