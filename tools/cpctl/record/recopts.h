/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of a recording. */
#ifndef RECOPTS_H
#define RECOPTS_H

#include <checkpoint.h>
#include <stdbool.h>

/*
 * struct record_options - the options of a recording
 * @output: the path of the file
 * @process: whether to record all threads of the process
 * @slots: the number of last states to keep, of each thread
 * @interval: the minimum time between checkpoints in nanoseconds, 0 for no minimum
 * @every: capture only every Nth return to user mode
 * @stack_limit: the maximum bytes of each stack; 0 for 64 KiB, but the whole stack at
 *	death
 * @xstate: whether to capture floating point and vector registers
 * @stream: whether to write all checkpoints as they come, and not only the last ones
 * @wait: whether the slave waits while all slots are full, so that none is lost
 */
struct record_options {
	const char	*output;
	bool		process;
	uint64_t	slots;
	int64_t		interval;
	uint64_t	every;
	uint64_t	stack_limit;
	bool		xstate;
	bool		stream;
	bool		wait;
};

/* recopts_flags() - the CP_PREP_* flags of the pair */
static inline uint32_t recopts_flags(const struct record_options *options)
{
	return CP_PREP_DEATH | (options->wait ? 0 : CP_PREP_OVERWRITE) |
	       (options->xstate ? CP_PREP_XSTATE : 0) |
	       (options->process ? CP_PREP_PROCESS : 0);
}

#endif /* RECOPTS_H */
