/* SPDX-License-Identifier: GPL-2.0-only */
/* The slave's memory: that in the checkpoint, and for all else, the living process. */
#ifndef MEMORY_H
#define MEMORY_H

#include "snapshot.h"
#include "surroundings.h"

/* struct memory - the memory of a slave at a checkpoint */
struct memory {
	const struct snapshot	*snapshot;
	struct surroundings	*around;
};

/*
 * memory_read() - read @len bytes at @addr
 *
 * Bytes that the checkpoint contains come from the checkpoint. The part of a stack
 * beyond the limit of the capture is treated as missing: its bytes have changed since.
 *
 * Return: false if some of the bytes are missing.
 */
bool memory_read(const struct memory *memory, uint64_t addr, void *to,
		 size_t len);

#endif /* MEMORY_H */
