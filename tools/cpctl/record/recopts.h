/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of a recording. */
#ifndef RECOPTS_H
#define RECOPTS_H

#include <checkpoint.h>
#include <signal.h>
#include <stdbool.h>

struct recsummary;

/*
 * struct record_family - what a recorder has to do when children are followed
 * @mask: the signal mask of the program of record COMMAND, which keeps the terminal
 * @begun: the program of record COMMAND has begun, as process @pid
 * @born: the process has created the process @child, which the kernel holds until
 *	somebody pairs with it
 * @changed: the program of record COMMAND has stopped, or has continued
 * @written: a SIGUSR1 has been served: the file has been written, or could not be
 * @over: the recording is complete; this function reports that instead of the recorder
 */
struct record_family {
	const sigset_t *mask;
	void	(*begun)(pid_t pid);
	void	(*born)(pid_t child);
	void	(*changed)(bool stopped);
	void	(*written)(void);
	void	(*over)(const struct recsummary *summary);
};

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
 * @family: if not NULL, the children of the process, and what it executes, are followed
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
	const struct record_family *family;
};

/* recopts_flags() - the CP_PREP_* flags of the pair */
static inline uint32_t recopts_flags(const struct record_options *options)
{
	return CP_PREP_DEATH | (options->wait ? 0 : CP_PREP_OVERWRITE) |
	       (options->xstate ? CP_PREP_XSTATE : 0) |
	       (options->process ? CP_PREP_PROCESS : 0) |
	       (options->family ? CP_PREP_CHILDREN : 0);
}

#endif /* RECOPTS_H */
