/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of all checkpoints that a pair keeps, made while its slave runs. */
#ifndef RINGCOPY_H
#define RINGCOPY_H

#include <checkpoint.h>

#include "moment.h"

/*
 * struct ringcopy - the copies; all zero at first
 * @nr: number of @moments
 * @room: the number of moments for which @moments has memory
 * @moments: the checkpoints in the order of their times, then the ends of those of the
 *	threads that have ended
 * @missed: how many checkpoints of these threads are not in the ring any more
 */
struct ringcopy {
	size_t		nr;
	size_t		room;
	struct moment	*moments;
	uint64_t	missed;
};

/*
 * ringcopy_take() - copy the checkpoints of all threads
 * @process: the slave, if it is a process; else 0
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int ringcopy_take(struct ringcopy *copy, const struct cp_pair *pair,
		  pid_t process);

/* ringcopy_free() - free all copies */
void ringcopy_free(struct ringcopy *copy);

#endif /* RINGCOPY_H */
