/* SPDX-License-Identifier: GPL-2.0-only */
/* The checkpoints of a process as an ELF core, for debuggers. */
#ifndef CORE_H
#define CORE_H

#include "coreload.h"
#include "identity.h"

/*
 * core_write() - write a core
 * @fd: an empty file
 * @state: the threads; the core also contains the pages of their surroundings
 *
 * Return: 0, or -1 with errno.
 */
int core_write(int fd, const struct corestate *state,
	       const struct identity *identity);

#endif /* CORE_H */
