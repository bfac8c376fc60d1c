/* SPDX-License-Identifier: GPL-2.0-only */
/* The last checkpoint of each thread, with which the next one is compared. */
#ifndef HISTORY_H
#define HISTORY_H

#include "snapshot.h"
#include "tidtable.h"

/* struct history - the last checkpoints, by the ids of their threads; all zero at first */
struct history {
	struct tidtable	threads;
};

/*
 * history_keep() - keep a checkpoint, instead of an earlier one of the same thread
 * @snapshot: the checkpoint, which the history then owns; all zero after the call
 *
 * Without memory for it, the thread has no earlier checkpoint any more.
 */
void history_keep(struct history *history, struct snapshot *snapshot);

/* history_of() - the last checkpoint of a thread; an empty one if there is none */
const struct snapshot *history_of(const struct history *history, pid_t thread);

/* history_forget() - free the checkpoint of a thread, which has ended */
void history_forget(struct history *history, pid_t thread);

/* history_free() - free all checkpoints, and zero the struct */
void history_free(struct history *history);

#endif /* HISTORY_H */
