/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a core that holds all memory of a process. */
#ifndef COREWHOLE_H
#define COREWHOLE_H

#include "coreload.h"
#include "coreout.h"

/* Kinds of mappings, as in /proc/PID/coredump_filter; see core(5). */
#define COREFILTER_ANON_PRIVATE	(1U << 0)
#define COREFILTER_ANON_SHARED	(1U << 1)
#define COREFILTER_FILE_PRIVATE	(1U << 2)
#define COREFILTER_FILE_SHARED	(1U << 3)
#define COREFILTER_ELF_HEADERS	(1U << 4)
#define COREFILTER_HUGE_PRIVATE	(1U << 5)
#define COREFILTER_HUGE_SHARED	(1U << 6)

/* All private memory. Shared memory would not be of the same instant. */
#define COREFILTER_DEFAULT \
	(COREFILTER_ANON_PRIVATE | COREFILTER_ELF_HEADERS | COREFILTER_HUGE_PRIVATE)
#define COREFILTER_MAX	0x1ff

/*
 * corewhole_loads() - the mappings of @image, and how much of each the core stores
 * @filter: COREFILTER_*
 *
 * Return: 0, or -1 with errno.
 */
int corewhole_loads(struct coreloads *loads, const struct image *image,
		    uint32_t filter);

/*
 * corewhole_write() - write the stored part of a mapping
 *
 * Bytes that cannot be read are zeroes.
 *
 * Return: 0, or -1 with errno: also that of image_read().
 */
int corewhole_write(struct coreout *out, const struct corestate *state,
		    const struct coreload *load);

#endif /* COREWHOLE_H */
