/* SPDX-License-Identifier: GPL-2.0-only */
/* A checkpoint of one's own: a copy that outlives the next cp_pair_get(). */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <checkpoint.h>

/*
 * struct segment - one stretch of the slave's memory
 * @info: where it was in the slave; its offset means nothing here
 * @bytes: info.size bytes
 */
struct segment {
	struct cp_segment	info;
	unsigned char		*bytes;
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

/* snapshot_free() - free what it holds; it is empty then. */
void snapshot_free(struct snapshot *snapshot);

/*
 * snapshot_add() - add a segment of any kind
 * @segment: its bytes, from malloc(3), are the snapshot's then, or freed
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_add(struct snapshot *snapshot, struct segment *segment);

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
