// SPDX-License-Identifier: GPL-2.0-only
/* The last checkpoint of each thread, with which the next one is compared. */
#include <stdlib.h>
#include <string.h>

#include "history.h"

/* struct past - the last checkpoint of thread @id */
struct past {
	pid_t		id;
	struct snapshot	last;
};

void history_keep(struct history *history, struct snapshot *snapshot)
{
	pid_t thread = snapshot->head.thread;
	struct past *past = tidtable_find(&history->threads, thread);

	if (!past)
		past = tidtable_add(&history->threads, thread, sizeof(*past));
	if (!past) {
		snapshot_free(snapshot);
		return;
	}
	snapshot_free(&past->last);
	past->last = *snapshot;
	memset(snapshot, 0, sizeof(*snapshot));
}

const struct snapshot *history_of(const struct history *history, pid_t thread)
{
	static const struct snapshot nothing;
	const struct past *past = tidtable_find(&history->threads, thread);

	return past ? &past->last : &nothing;
}

void history_forget(struct history *history, pid_t thread)
{
	struct past *past = tidtable_find(&history->threads, thread);

	if (!past)
		return;
	snapshot_free(&past->last);
	tidtable_remove(&history->threads, past);
}

static void free_past(void *entry)
{
	struct past *past = entry;

	snapshot_free(&past->last);
	free(past);
}

void history_free(struct history *history)
{
	tidtable_clear(&history->threads, free_past);
}
