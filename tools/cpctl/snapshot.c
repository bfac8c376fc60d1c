// SPDX-License-Identifier: GPL-2.0-only
/* A checkpoint of one's own: a copy that outlives the next cp_pair_get(). */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

/* Structs of another kernel's may be longer or shorter than ours. */
static void copy_struct(void *to, size_t to_size, const void *from,
			size_t from_size)
{
	memset(to, 0, to_size);
	memcpy(to, from, from_size < to_size ? from_size : to_size);
}

static int take_segment(struct segment *segment, const struct cp_pair *pair,
			unsigned int i)
{
	copy_struct(&segment->info, sizeof(segment->info),
		    cp_pair_segment(pair, i),
		    cp_pair_checkpoint(pair)->segment_size);
	segment->bytes = malloc(segment->info.size);
	if (!segment->bytes && segment->info.size)
		return -1;
	if (segment->info.size)
		memcpy(segment->bytes, cp_pair_segment_data(pair, i),
		       segment->info.size);
	return 0;
}

int snapshot_take(struct snapshot *snapshot, const struct cp_pair *pair)
{
	const struct cp_checkpoint *cp = cp_pair_checkpoint(pair);
	unsigned int i;

	snapshot_free(snapshot);
	copy_struct(&snapshot->head, sizeof(snapshot->head), cp, cp->size);
	snapshot->segments = calloc(cp->nr_segments, sizeof(struct segment));
	if (!snapshot->segments && cp->nr_segments)
		return -1;
	for (i = 0; i < cp->nr_segments; i++) {
		snapshot->nr_segments++;
		if (take_segment(&snapshot->segments[i], pair, i)) {
			snapshot_free(snapshot);
			return -1;
		}
	}
	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++)
		free(snapshot->segments[i].bytes);
	free(snapshot->segments);
	memset(snapshot, 0, sizeof(*snapshot));
}

const unsigned char *snapshot_bytes(const struct snapshot *snapshot,
				    uint64_t addr, size_t len)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++) {
		const struct segment *segment = &snapshot->segments[i];
		uint64_t into = addr - segment->info.addr;

		if (into < segment->info.size &&
		    len <= segment->info.size - into)
			return segment->bytes + into;
	}
	return NULL;
}

size_t snapshot_word(const struct snapshot *snapshot)
{
	return snapshot->head.flags & CP_CHECKPOINT_COMPAT ? 4 : 8;
}
