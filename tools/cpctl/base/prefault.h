/* SPDX-License-Identifier: GPL-2.0-only */
/* Page faults of cpctl, before a slave is held. */
#ifndef PREFAULT_H
#define PREFAULT_H

#include <checkpoint.h>

/* The linker sets these to the limits of the code. */
extern const char __executable_start[], etext[];

/*
 * prefault_code() - map all pages of the program's code
 *
 * The first call of a function in a page that no one has executed yet takes a page fault,
 * which costs more than all else that cpctl does while it holds a slave. Does nothing on
 * kernels before Linux 5.14.
 */
void prefault_code(void);

/*
 * prefault_region() - map what the first checkpoint of each thread will use of the region
 * @pair: a new pair with one slot for each thread
 *
 * Only for threads that do not have a checkpoint yet: such a thread is not waiting. Does
 * nothing on kernels before Linux 5.14.
 */
void prefault_region(const struct cp_pair *pair);

#endif /* PREFAULT_H */
