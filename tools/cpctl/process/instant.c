// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of the threads of a process, all of one instant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instant.h"
#include "taskstat.h"

/* Returns the thread @id; NULL if there is none. */
static struct thread *find(const struct instant *instant, pid_t id)
{
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		if (instant->threads[i].snapshot.head.thread == id)
			return &instant->threads[i];
	}
	return NULL;
}

int instant_add(struct instant *instant, struct thread *thread)
{
	struct thread *more = reallocarray(instant->threads, instant->nr + 1,
					   sizeof(*more));

	if (!more) {
		snapshot_free(&thread->snapshot);
		return -1;
	}
	instant->threads = more;
	more[instant->nr++] = *thread;
	return 0;
}

bool instant_has(const struct instant *instant, pid_t id)
{
	return find(instant, id);
}

int instant_take(struct instant *instant, const struct cp_pair *pair)
{
	struct thread *thread = find(instant, cp_pair_thread(pair, NULL));
	struct thread fresh = {};

	if (thread)
		return snapshot_take(&thread->snapshot, pair);
	return snapshot_take(&fresh.snapshot, pair) ?:
	       instant_add(instant, &fresh);
}

/* The order of two threads of which @first is the first one. */
static int by_id(const void *a, const void *b, void *first)
{
	const struct thread *left = a, *right = b;
	pid_t l = left->snapshot.head.thread, r = right->snapshot.head.thread;
	pid_t leader = *(const pid_t *)first;

	if (l == leader || r == leader)
		return (r == leader) - (l == leader);
	return (l > r) - (l < r);
}

void instant_sort(struct instant *instant, pid_t first)
{
	if (instant->nr)
		qsort_r(instant->threads, instant->nr,
			sizeof(instant->threads[0]), by_id, &first);
}

void instant_name(struct instant *instant)
{
	struct taskstat stat;
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		struct thread *thread = &instant->threads[i];

		if (!taskstat_read(&stat, thread->snapshot.head.thread))
			continue;
		snprintf(thread->name, sizeof(thread->name), "%s", stat.name);
		free(stat.name);
	}
}

uint64_t instant_bytes(const struct instant *instant)
{
	const struct segment *part;
	uint64_t bytes = 0;
	unsigned int i, j;

	for (i = 0; i < instant->nr; i++) {
		const struct thread *thread = &instant->threads[i];

		bytes += sizeof(*thread);
		for (j = 0; (part = snapshot_part(&thread->snapshot, j)); j++)
			bytes += sizeof(*part) + part->info.size;
	}
	return bytes;
}

void instant_free(struct instant *instant)
{
	unsigned int i;

	for (i = 0; i < instant->nr; i++)
		snapshot_free(&instant->threads[i].snapshot);
	free(instant->threads);
	memset(instant, 0, sizeof(*instant));
}
