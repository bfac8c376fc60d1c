/* SPDX-License-Identifier: GPL-2.0-only */
/* A checkpoint as an ELF core, for debuggers. */
#ifndef CORE_H
#define CORE_H

#include "identity.h"
#include "memory.h"

/*
 * core_write() - write a core
 * @fd: an empty file
 * @memory: the checkpoint; the core also contains the pages of its surroundings
 *
 * Return: 0, or -1 with errno.
 */
int core_write(int fd, const struct memory *memory,
	       const struct identity *identity);

#endif /* CORE_H */
