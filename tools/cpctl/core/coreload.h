/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a core: that of the checkpoints, and pages of their surroundings. */
#ifndef CORELOAD_H
#define CORELOAD_H

#include "image.h"
#include "snapshot.h"
#include "surroundings.h"

struct coreout;

/*
 * struct corestate - the state of a process that a core holds
 * @nr: the number of threads
 * @threads: their checkpoints, all of one instant; debuggers show the first one first
 * @around: their surroundings
 * @image: all memory of the process; NULL if the core has only that of @threads, and the
 *	pages of @around
 * @filter: with @image, COREFILTER_*
 * @end: with @image, returns text of CORENOTE_END_SIZE bytes for a note at the end of the
 *	file, with zeroes after it; or NULL
 * @written: with @image, called after each piece, with its end; or NULL
 * @arg: the first argument of @end and @written
 */
struct corestate {
	unsigned int			nr;
	const struct snapshot *const	*threads;
	struct surroundings		*around;
	const struct image		*image;
	uint32_t			filter;
	const char			*(*end)(void *arg);
	void				(*written)(void *arg, uint64_t addr,
						   const struct coreout *out);
	void				*arg;
};

/*
 * struct coreload - a range of memory
 * @addr: its address in the slave, the beginning of a page
 * @size: its length; a segment of a checkpoint is padded with zeroes at its beginning
 *	to a whole page, but not at its end
 * @stored: how many bytes of it the core stores, from the beginning
 * @later: whether the range was read after the instant of the checkpoint
 * @flags: PF_* of its ELF program header
 * @area: with an image, the mapping
 */
struct coreload {
	uint64_t	addr;
	uint64_t	size;
	uint64_t	stored;
	bool		later;
	uint32_t	flags;
	const struct area *area;
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
