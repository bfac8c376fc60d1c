/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes of a view of cpctl watch, and the checkpoints of their threads. */
#ifndef CROWD_H
#define CROWD_H

#include <stddef.h>

#include "instant.h"
#include "pids.h"
#include "surroundings.h"
#include "symbols.h"
#include "watching.h"

/*
 * struct member - a process
 * @pid: its id
 * @around: its surroundings
 * @symbols: its symbols; NULL while it is not shown
 * @instant: the checkpoints of its threads in this picture
 * @paired: whether there has been a pair with it
 * @busy: whether it is paired with another master
 * @over: whether it is not shown any more
 * @error: with @over, the errno of cp_pair_prep(); 0 if the process has ended
 * @known: with @over, whether @status is known
 * @status: its status, as of waitpid(2)
 */
struct member {
	pid_t			pid;
	struct surroundings	around;
	struct symbols		*symbols;
	struct instant		instant;
	bool			paired;
	bool			busy;
	bool			over;
	int			error;
	bool			known;
	int			status;
};

/*
 * struct crowd - the processes; all but @watching is zero at first
 * @watching: the pair and the options
 * @nr: the number of @members
 * @members: the processes; those that have ended, too
 * @taken: number of checkpoints
 */
struct crowd {
	const struct watching	*watching;
	size_t			nr;
	struct member		**members;
	uint64_t		taken;
};

/* crowd_add() - show these processes, too; false after printing the reason */
bool crowd_add(struct crowd *crowd, const struct pids *pids);

/*
 * crowd_take() - take a checkpoint of each thread, if they come soon
 *
 * No thread waits for that: each continues immediately. Return: TAKEN, LEAVE, or OVER if
 * no process is left.
 */
enum outcome crowd_take(struct crowd *crowd);

/*
 * crowd_end() - print which processes have ended, and which were refused
 *
 * Return: an exit status.
 */
int crowd_end(const struct crowd *crowd);

/* crowd_close() - free all processes */
void crowd_close(struct crowd *crowd);

#endif /* CROWD_H */
