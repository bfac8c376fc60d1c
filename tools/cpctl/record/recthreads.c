// SPDX-License-Identifier: GPL-2.0-only
/* The threads of a recording, as the reader and the writer know them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recthreads.h"

struct recthread *recthreads_find(const struct recthreads *threads, pid_t id)
{
	return tidtable_find(&threads->table, id);
}

struct recthread *recthreads_get(struct recthreads *threads, pid_t id)
{
	struct recthread *thread = recthreads_find(threads, id);

	if (thread)
		return thread;
	if (threads->table.nr == REC_THREADS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	return tidtable_add(&threads->table, id, sizeof(*thread));
}

uint64_t recthreads_room(const struct recthreads *threads,
			 const struct recthread *thread)
{
	uint64_t others = threads->bytes - snapshot_size(&thread->last);
	uint64_t room = REC_LAST_MAX - others;

	return room < REC_STACK_MAX ? room : REC_STACK_MAX;
}

struct snapshot recthreads_take(struct recthreads *threads,
				struct recthread *thread)
{
	struct snapshot last = thread->last;

	threads->bytes -= snapshot_size(&last);
	memset(&thread->last, 0, sizeof(thread->last));
	return last;
}

void recthreads_put(struct recthreads *threads, struct recthread *thread,
		    struct snapshot *last)
{
	threads->bytes += snapshot_size(last);
	thread->last = *last;
	memset(last, 0, sizeof(*last));
}

void recthreads_end(struct recthreads *threads, pid_t id)
{
	struct recthread *thread = recthreads_find(threads, id);

	if (!thread)
		return;
	threads->bytes -= snapshot_size(&thread->last);
	snapshot_free(&thread->last);
	tidtable_remove(&threads->table, thread);
}

static void release(void *entry)
{
	struct recthread *thread = entry;

	snapshot_free(&thread->last);
	free(thread);
}

void recthreads_forget(struct recthreads *threads)
{
	tidtable_clear(&threads->table, release);
	threads->bytes = 0;
}
