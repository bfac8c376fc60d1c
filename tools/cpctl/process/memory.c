// SPDX-License-Identifier: GPL-2.0-only
/* The slave's memory: that in the checkpoint, and for all else, the living process. */
#include <string.h>

#include "memory.h"

static bool was_cut_off(const struct snapshot *snapshot, uint64_t addr)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++) {
		const struct cp_segment *info = &snapshot->segments[i].info;

		if (addr >= info->addr + info->size && addr < info->map_end)
			return true;
	}
	return false;
}

bool memory_read(const struct memory *memory, uint64_t addr, void *to,
		 size_t len)
{
	unsigned char *next = to;

	while (len) {
		size_t part = len;
		const unsigned char *bytes;

		bytes = snapshot_run(memory->snapshot, addr, &part);
		if (bytes)
			memcpy(next, bytes, part);
		else if (was_cut_off(memory->snapshot, addr) ||
			 !surroundings_read(memory->around, addr, next, part))
			return false;
		next += part;
		addr += part;
		len -= part;
	}
	return true;
}
