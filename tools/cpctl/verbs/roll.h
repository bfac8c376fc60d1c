/* SPDX-License-Identifier: GPL-2.0-only */
/* A view of cpctl watch: a line for each thread of one or more processes. */
#ifndef ROLL_H
#define ROLL_H

#include "crowd.h"
#include "threads.h"

/*
 * struct row - a thread
 * @member: its process
 * @facts: what /proc shows of it
 * @cpu: the share of one processor that it has used since the picture before
 * @cp: its checkpoint; NULL if none has come
 */
struct row {
	const struct member		*member;
	struct thread_facts		facts;
	double				cpu;
	const struct cp_checkpoint	*cp;
};

/*
 * struct roll - the threads; all zero at first
 * @rows: the threads, those that have used most CPU time first
 * @nr: the number of @rows
 * @read_ns: the time when they were read
 */
struct roll {
	struct row	*rows;
	size_t		nr;
	int64_t		read_ns;
};

/* roll_read() - read the threads of the processes; after crowd_take() */
void roll_read(struct roll *roll, struct crowd *crowd);

/* roll_draw() - draw as many threads as fit on the screen */
void roll_draw(const struct roll *roll, const struct crowd *crowd);

/* roll_free() - free the rows; there are no threads then */
void roll_free(struct roll *roll);

#endif /* ROLL_H */
