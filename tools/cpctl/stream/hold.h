/* SPDX-License-Identifier: GPL-2.0-only */
/* Holding all threads of a process, and taking their checkpoints. */
#ifndef HOLD_H
#define HOLD_H

#include <checkpoint.h>
#include <stdbool.h>
#include <stdint.h>

#include "instant.h"

/*
 * struct hold - the wait for all threads of a process
 * @pair: the pair with the process
 * @pid: the process, for messages
 * @flags: CP_HOLD_*
 * @limit_ns: the time after which the process continues in any case; 0 for one second
 * @began: when the hold that succeeded was begun, on CLOCK_MONOTONIC, in nanoseconds
 * @explained: whether this wait, or an earlier one, has printed what it waits for
 * @late: after ETIMEDOUT, a thread that did not arrive; 0 if it is not known
 */
struct hold {
	struct cp_pair	*pair;
	pid_t		pid;
	unsigned int	flags;
	uint64_t	limit_ns;
	int64_t		began;
	bool		explained;
	pid_t		late;
};

/*
 * hold_begin() - hold all threads of the process at one instant
 * @timeout_ns: the maximum time to wait; negative for no limit
 *
 * While some threads do not arrive, the others are held only for a part of the time: a
 * thread may be in an uninterruptible sleep for hours.
 *
 * Return: the number of threads, those that were left asleep included, or -1 with errno.
 */
int hold_begin(struct hold *hold, int64_t timeout_ns);

/*
 * hold_rest() - let the process run for some time, but not after the end of the pair
 *
 * The process is not held then.
 */
void hold_rest(const struct cp_pair *pair, int64_t time_ns);

/*
 * hold_take() - take the checkpoints of a hold, which may be over
 * @nr: the number of threads of the hold
 * @instant: receives the checkpoints. Threads that it has already were left asleep
 *
 * Return: 1. 0 if the pair is over and has left no checkpoint. -1 with errno.
 */
int hold_take(struct cp_pair *pair, unsigned int nr, struct instant *instant);

/*
 * hold_take_dead() - take the states in which the threads of a process have died
 *
 * The pair must be over, or all threads have exited: then it is about to be over.
 *
 * Return: as hold_take().
 */
int hold_take_dead(struct cp_pair *pair, struct instant *instant);

#endif /* HOLD_H */
