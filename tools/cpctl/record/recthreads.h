/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The threads of a recording, as the reader and the writer know them at the same place of
 * the file: recording.h describes what they must agree on.
 */
#ifndef RECTHREADS_H
#define RECTHREADS_H

#include "recording.h"
#include "snapshot.h"
#include "tidtable.h"

/*
 * struct recthread - a thread
 * @id: its id
 * @name: its name; empty if it is not known
 * @last: its last checkpoint, with which the next one is compared; empty before the first
 * @before: for the reader: cp_checkpoint.seq of the one before @last; 0 if there is none
 */
struct recthread {
	pid_t		id;
	char		name[REC_NAME_SIZE];
	struct snapshot	last;
	uint64_t	before;
};

/*
 * struct recthreads - all threads; all zero at first
 * @table: the threads
 * @bytes: the size of all segments of their last checkpoints
 */
struct recthreads {
	struct tidtable	table;
	uint64_t	bytes;
};

/* recthreads_find() - a thread that is known, or NULL */
struct recthread *recthreads_find(const struct recthreads *threads, pid_t id);

/*
 * recthreads_get() - a thread, which is added if it is not known yet
 *
 * Return: NULL with errno: EINVAL if there are REC_THREADS_MAX threads, or ENOMEM.
 */
struct recthread *recthreads_get(struct recthreads *threads, pid_t id);

/* recthreads_room() - the maximum size of the segments of a new checkpoint of @thread */
uint64_t recthreads_room(const struct recthreads *threads,
			 const struct recthread *thread);

/*
 * recthreads_take() - take the last checkpoint of a thread
 *
 * The thread has none then. Return: the checkpoint, which the caller owns.
 */
struct snapshot recthreads_take(struct recthreads *threads,
				struct recthread *thread);

/* recthreads_put() - set the last checkpoint of a thread that has none; empties @last */
void recthreads_put(struct recthreads *threads, struct recthread *thread,
		    struct snapshot *last);

/* recthreads_end() - forget a thread that has ended, if it is known */
void recthreads_end(struct recthreads *threads, pid_t id);

/* recthreads_forget() - forget all threads */
void recthreads_forget(struct recthreads *threads);

#endif /* RECTHREADS_H */
