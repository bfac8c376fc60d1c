// SPDX-License-Identifier: GPL-2.0-only
/* A copy of a checkpoint, which outlives the next cp_pair_get(). */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

void copy_struct(void *to, size_t to_size, const void *from, size_t from_size)
{
	memset(to, 0, to_size);
	memcpy(to, from, from_size < to_size ? from_size : to_size);
}

int segment_alloc(struct segment *segment)
{
	segment->room = segment->info.size ?: 1;
	segment->block = malloc(segment->room);
	segment->bytes = segment->block;
	return segment->block ? 0 : -1;
}

void segment_free(struct segment *segment)
{
	free(segment->block);
	segment->block = NULL;
	segment->bytes = NULL;
}

int snapshot_add(struct snapshot *snapshot, struct segment *segment)
{
	struct segment *more;

	if (segment->info.kind == CP_SEGMENT_XSTATE) {
		segment_free(&snapshot->xstate);
		snapshot->xstate = *segment;
		return 0;
	}
	more = reallocarray(snapshot->segments, snapshot->nr_segments + 1,
			    sizeof(*more));
	if (!more) {
		segment_free(segment);
		return -1;
	}
	snapshot->segments = more;
	more[snapshot->nr_segments++] = *segment;
	return 0;
}

static int add_bytes(struct snapshot *snapshot, struct segment *segment,
		     const void *bytes)
{
	if (segment_alloc(segment))
		return -1;
	memcpy(segment->bytes, bytes, segment->info.size);
	return snapshot_add(snapshot, segment);
}

/* @base: the address to which the segments' offsets are relative */
static int take(struct snapshot *snapshot, const struct cp_checkpoint *cp,
		const void *base)
{
	const char *table = (const char *)cp + cp->segments_offset;
	struct segment segment;
	unsigned int i;

	snapshot_free(snapshot);
	copy_struct(&snapshot->head, sizeof(snapshot->head), cp, cp->size);
	for (i = 0; i < cp->nr_segments; i++) {
		copy_struct(&segment.info, sizeof(segment.info),
			    table + (size_t)i * cp->segment_size,
			    cp->segment_size);
		if (add_bytes(snapshot, &segment,
			      (const char *)base + segment.info.offset)) {
			snapshot_free(snapshot);
			return -1;
		}
	}
	return 0;
}

int snapshot_take(struct snapshot *snapshot, const struct cp_pair *pair)
{
	const struct cp_segment *first = cp_pair_segment(pair, 0);
	const char *base = cp_pair_segment_data(pair, 0);

	/* Each thread's part of the region is such a base. */
	return take(snapshot, cp_pair_checkpoint(pair),
		    first ? base - first->offset : NULL);
}

int snapshot_of_copy(struct snapshot *snapshot,
		     const struct cp_checkpoint *copy)
{
	return take(snapshot, copy, copy);
}

int snapshot_copy(struct snapshot *to, const struct snapshot *from)
{
	const struct segment *part;
	struct segment segment;
	unsigned int i;

	snapshot_free(to);
	to->head = from->head;
	for (i = 0; (part = snapshot_part(from, i)); i++) {
		segment = *part;
		if (add_bytes(to, &segment, part->bytes)) {
			snapshot_free(to);
			return -1;
		}
	}
	return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++)
		segment_free(&snapshot->segments[i]);
	free(snapshot->segments);
	segment_free(&snapshot->xstate);
	memset(snapshot, 0, sizeof(*snapshot));
}

const struct segment *snapshot_part(const struct snapshot *snapshot,
				    unsigned int i)
{
	if (i < snapshot->nr_segments)
		return &snapshot->segments[i];
	if (i == snapshot->nr_segments && snapshot->xstate.bytes)
		return &snapshot->xstate;
	return NULL;
}

struct segment snapshot_remove(struct snapshot *snapshot, unsigned int i)
{
	struct segment *part = NULL, removed = {};

	if (i < snapshot->nr_segments)
		part = &snapshot->segments[i];
	else if (i == snapshot->nr_segments)
		part = &snapshot->xstate;
	if (part) {
		removed = *part;
		memset(part, 0, sizeof(*part));
	}
	return removed;
}

bool snapshot_is_death(const struct snapshot *snapshot)
{
	const uint32_t flags = snapshot->head.flags;

	return flags & CP_CHECKPOINT_DEATH &&
	       !(flags & CP_CHECKPOINT_DEATH_ELSEWHERE);
}

uint64_t snapshot_size(const struct snapshot *snapshot)
{
	const struct segment *part;
	uint64_t size = 0;
	unsigned int i;

	for (i = 0; (part = snapshot_part(snapshot, i)); i++)
		size += part->info.size;
	return size;
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

const unsigned char *snapshot_run(const struct snapshot *snapshot,
				  uint64_t addr, size_t *len)
{
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++) {
		const struct segment *segment = &snapshot->segments[i];
		uint64_t into = addr - segment->info.addr;
		uint64_t ahead = segment->info.addr - addr;

		if (into < segment->info.size) {
			if (*len > segment->info.size - into)
				*len = segment->info.size - into;
			return segment->bytes + into;
		}
		if (segment->info.size && ahead < *len)
			*len = ahead;
	}
	return NULL;
}

size_t snapshot_word(const struct snapshot *snapshot)
{
	return snapshot->head.flags & CP_CHECKPOINT_COMPAT ? 4 : 8;
}
