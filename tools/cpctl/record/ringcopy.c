// SPDX-License-Identifier: GPL-2.0-only
/* Copies of all checkpoints that a pair keeps, made while its slave runs. */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "ringcopy.h"

/* Returns a new moment at the end, or NULL without memory. */
static struct moment *add(struct ringcopy *copy)
{
	if (copy->nr == copy->room) {
		size_t room = copy->room ? 2 * copy->room : 256;
		struct moment *more = reallocarray(copy->moments, room,
						   sizeof(*more));

		if (!more)
			return NULL;
		copy->moments = more;
		copy->room = room;
	}
	return memset(&copy->moments[copy->nr++], 0, sizeof(struct moment));
}

/* @buf: receives the contents of a slot */
static int copy_slot(struct ringcopy *copy, const struct cp_pair *pair,
		     unsigned int part, unsigned int slot, void *buf, size_t size)
{
	struct moment *moment;

	/* A slot that is empty, or overwritten all the time, is left out. */
	if (cp_pair_copy_part(pair, part, slot, buf, size) != 1)
		return 0;
	moment = add(copy);
	if (!moment)
		return -1;
	if (!snapshot_of_copy(&moment->shot, buf))
		return 0;
	copy->nr--;
	return -1;
}

/* The size of the largest slot: the last one of a part may hold the state of death. */
static size_t largest_slot(const struct cp_pair *pair)
{
	struct cp_info info = {};

	cp_pair_info(pair, &info);
	return cp_pair_region(pair, NULL)->slot_size + info.stack_default;
}

static int copy_parts(struct ringcopy *copy, const struct cp_pair *pair)
{
	unsigned int parts = cp_pair_parts(pair), slots = cp_pair_slots(pair);
	size_t size = largest_slot(pair);
	void *buf = malloc(size);
	unsigned int part, slot;
	int ret = buf ? 0 : -1;

	for (part = 0; part < parts && !ret; part++)
		for (slot = 0; slot < slots && !ret; slot++)
			ret = copy_slot(copy, pair, part, slot, buf, size);
	free(buf);
	return ret;
}

static int by_thread(const void *a, const void *b)
{
	const struct cp_checkpoint *left = &((const struct moment *)a)->shot.head;
	const struct cp_checkpoint *right =
		&((const struct moment *)b)->shot.head;

	if (left->thread != right->thread)
		return left->thread < right->thread ? -1 : 1;
	return left->seq < right->seq ? -1 : 1;
}

static int by_time(const void *a, const void *b)
{
	const struct cp_checkpoint *left = &((const struct moment *)a)->shot.head;
	const struct cp_checkpoint *right =
		&((const struct moment *)b)->shot.head;

	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	return by_thread(a, b);
}

static bool has_ended(pid_t process, pid_t thread)
{
	struct task_facts facts;

	/* A main thread that has ended stays until its process has. */
	return !task_facts(thread, &facts) || facts.process != process ||
	       facts.state == 'Z' || facts.state == 'X';
}

/*
 * Counts the checkpoints of each thread that are missing, and adds the end of each thread
 * that has ended. @copy is sorted by thread.
 */
static int look_at_threads(struct ringcopy *copy, pid_t process)
{
	const size_t nr = copy->nr;
	size_t i, first = 0;

	for (i = 0; i < nr; i++) {
		const struct cp_checkpoint cp = copy->moments[i].shot.head;
		struct moment *end;

		if (i + 1 < nr &&
		    copy->moments[i + 1].shot.head.thread == cp.thread)
			continue;
		copy->missed += cp.seq - (i + 1 - first);
		first = i + 1;
		if (!process || !has_ended(process, cp.thread))
			continue;
		end = add(copy);
		if (!end)
			return -1;
		end->is_end = true;
		end->end.thread = cp.thread;
		end->end.flags = REC_END_UNKNOWN;
	}
	return 0;
}

int ringcopy_take(struct ringcopy *copy, const struct cp_pair *pair,
		  pid_t process)
{
	size_t nr;

	if (copy_parts(copy, pair))
		return -1;
	nr = copy->nr;
	if (!nr)
		return 0;
	qsort(copy->moments, nr, sizeof(copy->moments[0]), by_thread);
	if (look_at_threads(copy, process))
		return -1;
	qsort(copy->moments, nr, sizeof(copy->moments[0]), by_time);
	return 0;
}

void ringcopy_free(struct ringcopy *copy)
{
	while (copy->nr)
		snapshot_free(&copy->moments[--copy->nr].shot);
	free(copy->moments);
	memset(copy, 0, sizeof(*copy));
}
