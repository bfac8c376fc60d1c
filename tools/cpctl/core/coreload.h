/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a core: that of the checkpoints, and pages of their surroundings. */
#ifndef CORELOAD_H
#define CORELOAD_H

#include "snapshot.h"
#include "surroundings.h"

/*
 * struct corestate - the state of a process that a core holds
 * @nr: the number of threads
 * @threads: their checkpoints, all of one instant; debuggers show the first one first
 * @around: their surroundings
 */
struct corestate {
	unsigned int			nr;
	const struct snapshot *const	*threads;
	struct surroundings		*around;
};

/*
 * struct coreload - a range of memory
 * @addr: its address in the slave, the beginning of a page
 * @size: its length; a segment of a checkpoint is padded with zeroes at its beginning
 *	to a whole page, but not at its end
 * @later: whether the range was read after the instant of the checkpoint
 * @flags: PF_* of its ELF program header
 */
struct coreload {
	uint64_t	addr;
	uint64_t	size;
	bool		later;
	uint32_t	flags;
};

/* struct coreloads - the ranges, sorted by ascending address, without overlaps */
struct coreloads {
	size_t		nr;
	size_t		room;
	struct coreload	*load;
};

/*
 * coreloads_make() - collect all ranges of a core
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int coreloads_make(struct coreloads *loads, const struct corestate *state);

/* coreloads_free() - free the ranges */
void coreloads_free(struct coreloads *loads);

#endif /* CORELOAD_H */
