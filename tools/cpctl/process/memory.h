/* SPDX-License-Identifier: GPL-2.0-only */
/* The slave's memory: what the checkpoint holds, and around that the rest. */
#ifndef MEMORY_H
#define MEMORY_H

#include "snapshot.h"
#include "surroundings.h"

/* struct memory - of a slave, at a checkpoint */
struct memory {
	const struct snapshot	*snapshot;
	struct surroundings	*around;
};

/*
 * memory_read() - @len bytes at @addr
 *
 * What the checkpoint holds comes from there. The part of a stack that was cut
 * off by a limit is not there at all: it has changed since.
 *
 * Return: false when some of them are not there.
 */
bool memory_read(const struct memory *memory, uint64_t addr, void *to,
		 size_t len);

#endif /* MEMORY_H */
