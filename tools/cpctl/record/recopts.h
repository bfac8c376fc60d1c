/* SPDX-License-Identifier: GPL-2.0-only */
/* How a slave is recorded. */
#ifndef RECOPTS_H
#define RECOPTS_H

#include <checkpoint.h>
#include <stdbool.h>

/*
 * struct record_options - how to record
 * @output: the file
 * @slots: how many of the last states are kept
 * @interval: nanoseconds between checkpoints, 0 for no limit
 * @every: only one of so many returns to user mode
 * @stack_limit: most bytes of each stack; 0: 64 KiB, but all of it at death
 * @xstate: floating point and vector registers too
 * @stream: write all checkpoints, as they come, and not only the last
 * @wait: the slave waits when it is too fast, so that none is lost
 */
struct record_options {
	const char	*output;
	uint64_t	slots;
	int64_t		interval;
	uint64_t	every;
	uint64_t	stack_limit;
	bool		xstate;
	bool		stream;
	bool		wait;
};

/* recopts_flags() - CP_PREP_* of the pair */
static inline uint32_t recopts_flags(const struct record_options *options)
{
	return CP_PREP_DEATH | (options->wait ? 0 : CP_PREP_OVERWRITE) |
	       (options->xstate ? CP_PREP_XSTATE : 0);
}

#endif /* RECOPTS_H */
