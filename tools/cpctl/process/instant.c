// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of the threads of a process: of one instant, or the last ones. */
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

const struct thread *instant_culprit(const struct instant *instant)
{
	const struct thread *culprit = NULL;
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		if (!snapshot_is_death(&instant->threads[i].snapshot))
			continue;
		if (culprit)
			return NULL;
		culprit = &instant->threads[i];
	}
	return culprit;
}

uint64_t instant_time(const struct instant *instant)
{
	const struct thread *culprit = instant_culprit(instant);
	uint64_t last = 0;
	unsigned int i;

	if (culprit)
		return culprit->snapshot.head.time;
	for (i = 0; i < instant->nr; i++) {
		if (last < instant->threads[i].snapshot.head.time)
			last = instant->threads[i].snapshot.head.time;
	}
	return last;
}

uint64_t instant_return(const struct thread *thread, uint64_t time)
{
	const struct cp_checkpoint *cp = &thread->snapshot.head;

	if (cp->time <= time)
		return cp->time;
	return thread->before < time ? thread->before : time;
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
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < instant->nr; i++) {
		const struct snapshot *shot = &instant->threads[i].snapshot;

		bytes += sizeof(struct thread) + snapshot_size(shot) +
			 shot->nr_segments * sizeof(struct segment);
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
