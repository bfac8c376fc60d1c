/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checkpoints of a living slave: taken first, looked at afterwards.
 *
 * Whoever looks at checkpoints may be slow: names are read from large files or
 * over the network, and a reader of the output may not read. The slave must not
 * wait for that. So the thread that made the pair only copies checkpoints to
 * memory, and ends the pair with the last of them. They are looked at
 * afterwards, by a second thread if there can be more than one.
 *
 * Not more than LIVE_MEMORY_MAX bytes, and one checkpoint, wait to be looked at.
 * Beyond that the pair ends, and is made again once half of them are gone.
 */
#ifndef LIVE_H
#define LIVE_H

#include <checkpoint.h>
#include <stdbool.h>

#include "snapshot.h"
#include "surroundings.h"

struct take_options;

#define LIVE_MEMORY_MAX (64 << 20)

/*
 * struct live - the slave, as far as live_next() has come
 * @pid: its id
 * @around: its surroundings
 * @now: the current checkpoint
 * @before: the one before it, empty when there is none
 * @replaced: the slave ran another program when @around was opened than it does
 *	at its checkpoints: nothing that was read of it before counts
 * @taking: what the thread that takes them has
 */
struct live {
	pid_t			pid;
	struct surroundings	around;
	const struct snapshot	*now;
	const struct snapshot	*before;
	bool			replaced;
	struct taking		*taking;
};

/*
 * live_open() - get ready, before there is a pair
 *
 * What may have to be read of the slave when it is gone is read now. Return:
 * false after saying what is wrong.
 */
bool live_open(struct live *live, struct cp_pair *pair, pid_t pid,
	       const struct take_options *options);

/* live_fn - looks at checkpoints, by live_next(); returns an exit status */
typedef int (*live_fn)(struct live *live, void *arg);

/*
 * live_run() - take checkpoints, and have @use look at them
 *
 * There is a pair with the slave; it is over afterwards. Says why there were no
 * more checkpoints. Return: an exit status.
 */
int live_run(struct live *live, live_fn use, void *arg);

/*
 * live_next() - go to the next checkpoint
 *
 * Return: false when there are no more.
 */
bool live_next(struct live *live);

/*
 * live_ended() - after live_next() returned false: did the pair end by itself?
 * @status: as of cp_pair_ended()
 *
 * Return: CP_END_*; CP_END_NONE when all that were wanted have been taken, when
 * interrupted, and when there was a failure.
 */
unsigned int live_ended(const struct live *live, int *status);

/* live_close() - free all */
void live_close(struct live *live);

#endif /* LIVE_H */
