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

/* struct snapshot - zero it to begin with. */
struct snapshot {
	struct cp_checkpoint	head;
	unsigned int		nr_segments;
	struct segment		*segments;
};

/*
 * snapshot_take() - copy the last checkpoint of @pair
 *
 * What @snapshot held before is freed. Return: 0, or -1 with errno ENOMEM.
 */
int snapshot_take(struct snapshot *snapshot, const struct cp_pair *pair);

/* snapshot_free() - free what it holds; it is empty then. */
void snapshot_free(struct snapshot *snapshot);

/* snapshot_bytes() - @len bytes at @addr in the slave, or NULL. */
const unsigned char *snapshot_bytes(const struct snapshot *snapshot,
				    uint64_t addr, size_t len);

/* snapshot_word() - bytes of an address, and of a stack word, in the slave. */
size_t snapshot_word(const struct snapshot *snapshot);

#endif /* SNAPSHOT_H */
