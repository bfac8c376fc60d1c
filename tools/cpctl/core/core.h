/* SPDX-License-Identifier: GPL-2.0-only */
/* The checkpoints of a process as an ELF core, for debuggers. */
#ifndef CORE_H
#define CORE_H

#include "coreload.h"
#include "coreout.h"
#include "identity.h"

/*
 * core_write() - write a core
 * @out: the file
 * @state: the threads and the memory
 *
 * The file is written from its beginning to its end, with little memory.
 *
 * Return: 0, or -1 with errno.
 */
int core_write(struct coreout *out, const struct corestate *state,
	       const struct identity *identity);

#endif /* CORE_H */
