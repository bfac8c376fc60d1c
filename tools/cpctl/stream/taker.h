/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking the checkpoints of a living slave, for the queue. */
#ifndef TAKER_H
#define TAKER_H

#include <checkpoint.h>

#include "queue.h"
#include "slave.h"

/*
 * struct taker - the state of taking checkpoints
 * @options: the options of the verb
 * @pair: the pair with the slave
 * @slave: the slave
 * @around: the surroundings of the slave
 * @queue: the checkpoints that were taken
 *
 * The thread that takes checkpoints owns the members below until queue_finish():
 * @replaced: whether the slave has executed another program before its first checkpoint
 * @explained: whether diagnose_wait() has been called
 * @late: with @held of @slave, a thread that did not arrive in time; 0 if it is
 *	not known
 * @unseen: the number of threads for which the pair had no room
 * @complete: whether all wanted instants were taken
 * @taken_ns: the time of the last checkpoint
 * @base: the number to add to the numbers of this pair's checkpoints
 * @last: the largest number of a checkpoint
 * @gap: whether the pair was ended and made again since the last checkpoint
 * @gaps: how many times the pair was ended because the queue was full
 * @gone: whether the slave had ended, or ran another program, when the pair was to be
 *	made again
 * @error: the errno because of which there are no more checkpoints, or 0
 */
struct taker {
	const struct stream_options	*options;
	struct cp_pair			*pair;
	struct slave			slave;
	struct surroundings		around;
	struct queue			queue;
	bool				replaced;
	bool				explained;
	pid_t				late;
	unsigned int			unseen;
	bool				complete;
	int64_t				taken_ns;
	uint64_t			base;
	uint64_t			last;
	bool				gap;
	uint64_t			gaps;
	bool				gone;
	int				error;
};

/*
 * taker_pair() - pair with the slave
 *
 * Return: false after printing the reason.
 */
bool taker_pair(const struct taker *taker);

/*
 * taker_run() - take all wanted checkpoints, end the pair, and finish the queue
 *
 * It returns early after an interruption, and when the verb has left the queue.
 */
void taker_run(struct taker *taker);

#endif /* TAKER_H */
