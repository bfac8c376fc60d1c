/* SPDX-License-Identifier: GPL-2.0-only */
/* A checkpoint of one's own: a copy that outlives the next cp_pair_get(). */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <checkpoint.h>

/*
 * struct segment - one stretch of the slave's memory
 * @info: where it was in the slave; its offset means nothing here
 * @bytes: info.size bytes
 * @block: the memory that @bytes lie in, as malloc(3) gave it
 * @room: bytes of @block
 */
struct segment {
	struct cp_segment	info;
	unsigned char		*bytes;
	unsigned char		*block;
	size_t			room;
};

/*
 * struct snapshot - zero it to begin with
 * @head: registers and all else of fixed size; its segments_offset means nothing
 * @nr_segments: number of @segments
 * @segments: memory
 * @xstate: extended registers; without @bytes when there are none
 */
struct snapshot {
	struct cp_checkpoint	head;
	unsigned int		nr_segments;
	struct segment		*segments;
	struct segment		xstate;
};

/*
 * snapshot_take() - copy the last checkpoint of @pair
 *
 * What @snapshot held before is freed. Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_take(struct snapshot *snapshot, const struct cp_pair *pair);

/*
 * snapshot_of_copy() - the same of what cp_pair_copy() gave
 */
int snapshot_of_copy(struct snapshot *snapshot,
		     const struct cp_checkpoint *copy);

/*
 * snapshot_copy() - make another one like it
 *
 * What @to held before is freed. Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_copy(struct snapshot *to, const struct snapshot *from);

/*
 * copy_struct() - copy a struct of another version
 *
 * It may be longer or shorter than ours: what it lacks is zeroed.
 */
void copy_struct(void *to, size_t to_size, const void *from, size_t from_size);

/* segment_alloc() - give a segment room for info.size bytes; 0, or -1 */
int segment_alloc(struct segment *segment);

/* segment_free() - free its bytes */
void segment_free(struct segment *segment);

/* snapshot_free() - free what it holds; it is empty then. */
void snapshot_free(struct snapshot *snapshot);

/*
 * snapshot_add() - add a segment of any kind
 * @segment: its bytes are the snapshot's then, or freed
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_add(struct snapshot *snapshot, struct segment *segment);

/*
 * snapshot_remove() - take out what snapshot_part() gives
 *
 * An empty segment stays in its place. Return: the segment, which is the
 * caller's then; zeroed when there is none.
 */
struct segment snapshot_remove(struct snapshot *snapshot, unsigned int i);

/* snapshot_part() - all segments, of whatever kind; NULL behind the last. */
const struct segment *snapshot_part(const struct snapshot *snapshot,
				    unsigned int i);

/* snapshot_bytes() - @len bytes at @addr in the slave, or NULL. */
const unsigned char *snapshot_bytes(const struct snapshot *snapshot,
				    uint64_t addr, size_t len);

/*
 * snapshot_run() - the bytes at @addr, as far as one answer goes
 * @len: how many are wanted; is made smaller where it goes beyond that
 *
 * Return: *@len bytes at @addr, or NULL when none of *@len bytes are held.
 */
const unsigned char *snapshot_run(const struct snapshot *snapshot,
				  uint64_t addr, size_t *len);

/* snapshot_word() - bytes of an address, and of a stack word, in the slave. */
size_t snapshot_word(const struct snapshot *snapshot);

#endif /* SNAPSHOT_H */
