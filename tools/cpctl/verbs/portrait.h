/* SPDX-License-Identifier: GPL-2.0-only */
/* A view of cpctl watch: the registers and the stack of one thread. */
#ifndef PORTRAIT_H
#define PORTRAIT_H

#include "facts.h"
#include "snapshot.h"
#include "surroundings.h"
#include "symbols.h"
#include "watching.h"

/*
 * struct portrait - the view
 * @watching: the pair and the options
 * @pid: the slave
 * @paired: whether there is a pair whose checkpoint has not come yet
 * @shots: the last two checkpoints
 * @taken: number of checkpoints; the last one is shots[taken % 2]
 * @around: the surroundings of the slave
 * @symbols: the symbols of the slave
 * @facts: the facts of the slave when the last picture was drawn
 * @drawn_ns: the time when the last picture was drawn
 */
struct portrait {
	const struct watching	*watching;
	pid_t			pid;
	bool			paired;
	struct snapshot		shots[2];
	uint64_t		taken;
	struct surroundings	around;
	struct symbols		*symbols;
	struct task_facts	facts;
	int64_t			drawn_ns;
};

/* portrait_open() - begin to show thread @pid; false after printing the reason */
bool portrait_open(struct portrait *portrait, const struct watching *watching,
		   pid_t pid);

/* portrait_pair() - pair with the slave, unless there is a pair */
enum outcome portrait_pair(struct portrait *portrait);

/*
 * portrait_take() - take a checkpoint within the interval
 *
 * If none comes, the pair is kept; the caller must call this again at once, so that the
 * pair does not hold the slave.
 */
enum outcome portrait_take(struct portrait *portrait);

/* portrait_draw() - draw the last checkpoint; @outcome is that of portrait_take() */
void portrait_draw(struct portrait *portrait, enum outcome outcome);

/* portrait_release() - end the pair, if there is one */
void portrait_release(struct portrait *portrait);

/* portrait_end() - print why the view is OVER */
void portrait_end(const struct portrait *portrait);

/* portrait_close() - free all but the pair */
void portrait_close(struct portrait *portrait);

#endif /* PORTRAIT_H */
