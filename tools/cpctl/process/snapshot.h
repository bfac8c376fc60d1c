/* SPDX-License-Identifier: GPL-2.0-only */
/* A copy of a checkpoint, which outlives the next cp_pair_get(). */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <checkpoint.h>
#include <stdbool.h>

/*
 * struct segment - one range of the slave's memory
 * @info: the address and size of the range; its offset is meaningless here
 * @bytes: the bytes, info.size of them
 * @block: the memory from malloc(3) that contains @bytes
 * @room: the size of @block
 */
struct segment {
	struct cp_segment	info;
	unsigned char		*bytes;
	unsigned char		*block;
	size_t			room;
};

/*
 * struct snapshot - a copy of a checkpoint; all zero at first
 * @head: registers and all else of fixed size; its segments_offset is meaningless
 * @nr_segments: number of @segments
 * @segments: the captured memory
 * @xstate: the extended registers; its bytes are NULL if they were not captured
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
 * The previous contents of @snapshot are freed. Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_take(struct snapshot *snapshot, const struct cp_pair *pair);

/* snapshot_of_copy() - like snapshot_take(), for a result of cp_pair_copy() */
int snapshot_of_copy(struct snapshot *snapshot,
		     const struct cp_checkpoint *copy);

/*
 * snapshot_copy() - copy a snapshot
 *
 * The previous contents of @to are freed. Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_copy(struct snapshot *to, const struct snapshot *from);

/*
 * copy_struct() - copy a struct that may be of another version
 *
 * If @from is shorter, the rest of @to is zeroed; if it is longer, its rest is ignored.
 */
void copy_struct(void *to, size_t to_size, const void *from, size_t from_size);

/* segment_alloc() - allocate info.size bytes for a segment; 0, or -1 */
int segment_alloc(struct segment *segment);

/* segment_free() - free the bytes of a segment */
void segment_free(struct segment *segment);

/* snapshot_free() - free all segments, and zero the struct */
void snapshot_free(struct snapshot *snapshot);

/*
 * snapshot_add() - add a segment of any kind
 * @segment: the segment, whose bytes the snapshot then owns; freed on failure
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_add(struct snapshot *snapshot, struct segment *segment);

/*
 * snapshot_remove() - remove the segment that snapshot_part() returns for @i
 *
 * The snapshot keeps a zeroed segment instead, so that the others keep their indexes.
 * Return: the segment, which the caller then owns; a zeroed one if there is none.
 */
struct segment snapshot_remove(struct snapshot *snapshot, unsigned int i);

/* snapshot_part() - segment @i of all kinds, @xstate last; NULL after the last one */
const struct segment *snapshot_part(const struct snapshot *snapshot,
				    unsigned int i);

/*
 * snapshot_is_death() - is this the state of a thread that received a deadly signal?
 *
 * It is not if the thread died because another one did.
 */
bool snapshot_is_death(const struct snapshot *snapshot);

/* snapshot_size() - the size of all segments, @xstate included */
uint64_t snapshot_size(const struct snapshot *snapshot);

/* snapshot_bytes() - @len bytes at @addr in the slave, or NULL */
const unsigned char *snapshot_bytes(const struct snapshot *snapshot,
				    uint64_t addr, size_t len);

/*
 * snapshot_run() - the bytes at @addr up to the next end or beginning of a segment
 * @len: the number of wanted bytes; reduced to those before that boundary
 *
 * Return: *@len bytes at @addr, or NULL if the snapshot contains none of them.
 */
const unsigned char *snapshot_run(const struct snapshot *snapshot,
				  uint64_t addr, size_t *len);

/* snapshot_word() - the size of an address, and of a stack word, in the slave */
size_t snapshot_word(const struct snapshot *snapshot);

#endif /* SNAPSHOT_H */
