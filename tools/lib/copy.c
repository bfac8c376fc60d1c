// SPDX-License-Identifier: LGPL-2.1-only
/* Copies of checkpoints, made while the slave may be overwriting them. */
#include <errno.h>
#include <string.h>

#include "pair.h"

/* How many copies cp_pair_copy() attempts when the slave overwrites the slot. */
#define TRIES	16

/* struct room - the caller's buffer, and how much of it is in use */
struct room {
	char	*base;
	size_t	size;
	size_t	used;
};

/*
 * struct source - the slot to copy from; offsets count from @part
 *
 * The slave may overwrite the slot at any time, so offsets and sizes in it may be
 * inconsistent. Therefore, room_put() checks them against the slot's bounds, and
 * room_put_all() reads them only from the copy: a second read from the slot could
 * differ from the one that was checked.
 */
struct source {
	const char	*part;
	size_t		slot;
	size_t		slot_size;
};

static bool in_slot(const struct source *from, uint64_t offset, uint64_t size)
{
	uint64_t into = offset - from->slot;

	return into <= from->slot_size && size <= from->slot_size - into;
}

/* struct identity - the number of a checkpoint, and the thread that has counted it */
struct identity {
	uint64_t	seq;
	int32_t		thread;
};

static struct identity identity_of(const struct source *from)
{
	const struct cp_checkpoint *cp =
		(const void *)(from->part + from->slot);
	struct identity id;

	id.seq = __atomic_load_n(&cp->seq, __ATOMIC_ACQUIRE);
	id.thread = __atomic_load_n(&cp->thread, __ATOMIC_RELAXED);
	return id;
}

/*
 * Returns the address of the copy, or NULL with errno: ERANGE if the buffer is
 * too small, EAGAIN if the range is not inside the slot.
 */
static void *room_put(struct room *room, const struct source *from,
		      uint64_t offset, uint64_t size)
{
	char *to = room->base + room->used;

	if (!in_slot(from, offset, size)) {
		errno = EAGAIN;
		return NULL;
	}
	if (size > room->size - room->used) {
		errno = ERANGE;
		return NULL;
	}
	memcpy(to, from->part + offset, size);
	/* Keeps the next struct or array aligned for a uint64_t. */
	room->used += (size + 7) & ~(size_t)7;
	if (room->used > room->size)
		room->used = room->size;
	return to;
}

/* Copies the head and the table of segments, then the data of each segment. */
static int room_put_all(struct room *room, const struct source *from)
{
	struct cp_checkpoint *cp = room_put(room, from, from->slot, sizeof(*cp));
	struct cp_segment *seg;
	char *table;
	unsigned int i;

	if (!cp)
		return -1;
	if (cp->segment_size < sizeof(*seg)) {
		errno = EAGAIN;
		return -1;
	}
	table = room_put(room, from, from->slot + cp->segments_offset,
			 (uint64_t)cp->nr_segments * cp->segment_size);
	if (!table)
		return -1;
	/* The struct of an older module is shorter. */
	if (cp->size < sizeof(*cp))
		memset((char *)cp + cp->size, 0, sizeof(*cp) - cp->size);
	cp->size = sizeof(*cp);
	cp->segments_offset = table - room->base;
	for (i = 0; i < cp->nr_segments; i++) {
		char *data;

		seg = (void *)(table + (size_t)i * cp->segment_size);
		data = room_put(room, from, seg->offset, seg->size);
		if (!data)
			return -1;
		seg->offset = data - room->base;
	}
	return 0;
}

/* Returns 1 with a copy, 0 if the slot is empty or being written, -1 with errno. */
static int try_copy(const struct source *from, void *buf, size_t size)
{
	struct room room = { .base = buf, .size = size };
	struct identity before = identity_of(from), after;
	int ret;

	if (!before.seq)
		return 0;
	ret = room_put_all(&room, from);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	after = identity_of(from);
	if (after.seq != before.seq || after.thread != before.thread) {
		errno = EAGAIN;
		return -1;
	}
	return ret ? -1 : 1;
}

static bool find_slot(struct source *from, const struct cp_pair *pair,
		      unsigned int part, unsigned int slot)
{
	const struct cp_region_head *head = cp_pair_part(pair, part);

	if (!cp_pair_region(pair, NULL)) {
		errno = ENOTCONN;
		return false;
	}
	if (!head || (slot != CP_SLOT_NEWEST && slot >= head->nr_slots)) {
		errno = EINVAL;
		return false;
	}
	from->part = (const char *)head;
	from->slot = head->slots_offset + (size_t)slot * head->slot_size;
	if (slot == CP_SLOT_NEWEST)
		from->slot = __atomic_load_n(&head->newest, __ATOMIC_ACQUIRE);
	/* The last slot extends to the part's end, to hold a state of death. */
	from->slot_size = head->slot_size;
	if (from->slot == head->slots_offset +
			  (size_t)(head->nr_slots - 1) * head->slot_size)
		from->slot_size = pair->thread_size - from->slot;
	return true;
}

unsigned int cp_pair_slots(const struct cp_pair *pair)
{
	const struct cp_region_head *head = cp_pair_region(pair, NULL);

	return head ? head->nr_slots : 0;
}

int cp_pair_copy(const struct cp_pair *pair, unsigned int slot, void *buf,
		 size_t size)
{
	return cp_pair_copy_part(pair, 0, slot, buf, size);
}

int cp_pair_copy_part(const struct cp_pair *pair, unsigned int part,
		      unsigned int slot, void *buf, size_t size)
{
	struct source from;
	int i, ret;

	for (i = 0; i < TRIES; i++) {
		if (!find_slot(&from, pair, part, slot))
			return -1;
		if (!from.slot)
			return 0;
		ret = try_copy(&from, buf, size);
		/*
		 * An empty slot is not final for CP_SLOT_NEWEST: the slave is
		 * overwriting the slot, so @newest has moved to another one.
		 */
		if (ret > 0 || (!ret && slot != CP_SLOT_NEWEST) ||
		    (ret < 0 && errno != EAGAIN))
			return ret;
	}
	errno = EAGAIN;
	return -1;
}
