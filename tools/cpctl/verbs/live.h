/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checkpoints of a living slave: taken first, and processed afterwards.
 *
 * Processing a checkpoint may be slow: the namer reads large files or asks a server,
 * and the reader of the output may not read. The slave must not wait for that.
 * Therefore, the master's thread only copies checkpoints to a queue, and ends the pair
 * after the last one. A second thread processes them, unless only one is wanted.
 *
 * The queue contains at most LIVE_MEMORY_MAX bytes and one more checkpoint. Beyond
 * that, the master's thread ends the pair, and makes a new one after half of the bytes
 * have been processed.
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
 * struct live - a living slave at its current checkpoint
 * @pid: the id of the slave
 * @around: the surroundings of the slave
 * @now: the current checkpoint
 * @before: the checkpoint before, empty if there is none
 * @replaced: whether the slave has executed another program between live_open() and
 *	its first checkpoint: data that was read before is invalid
 * @taking: the state of the master's thread
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
 * live_open() - prepare, before the pair is made
 *
 * This function reads the surroundings that may be needed after the slave's end.
 * Return: false after printing the reason.
 */
bool live_open(struct live *live, struct cp_pair *pair, pid_t pid,
	       const struct take_options *options);

/* live_fn - processes the checkpoints of live_next(); returns an exit status */
typedef int (*live_fn)(struct live *live, void *arg);

/*
 * live_run() - take checkpoints, and let @use process them
 *
 * The caller has made the pair with the slave, which this function ends. It prints why
 * no more checkpoints came. Return: an exit status.
 */
int live_run(struct live *live, live_fn use, void *arg);

/*
 * live_next() - go to the next checkpoint
 *
 * Return: false if there are no more checkpoints.
 */
bool live_next(struct live *live);

/*
 * live_ended() - the reason why the pair has ended, after live_next() returned false
 * @status: receives the status of cp_pair_ended()
 *
 * Return: CP_END_*; CP_END_NONE if all wanted checkpoints were taken, or after an
 * interruption or a failure.
 */
unsigned int live_ended(const struct live *live, int *status);

/* live_close() - end the second thread, and free all */
void live_close(struct live *live);

#endif /* LIVE_H */
