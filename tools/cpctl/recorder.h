/* SPDX-License-Identifier: GPL-2.0-only */
/* Recording a slave: what record and run --record do once they have a pair. */
#ifndef RECORDER_H
#define RECORDER_H

#include <checkpoint.h>

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

struct recorder;

/* recorder_flags() - CP_PREP_* of the pair */
uint32_t recorder_flags(const struct record_options *options);

/*
 * recorder_prep() - pair with a task in order to record it
 *
 * Return: 0, or -1 after saying what is wrong.
 */
int recorder_prep(struct cp_pair *pair, pid_t pid,
		  const struct record_options *options);

/*
 * recorder_open() - get ready, and see that the file can be written
 * @pair: the pair with the process; another one takes its place when the
 *	process executes another program
 * @follow: go on recording then
 *
 * Return: NULL after saying what is wrong.
 */
struct recorder *recorder_open(struct cp_pair **pair, pid_t pid, bool follow,
			       const struct record_options *options);

/*
 * recorder_begin() - have a child that is held begin its program
 *
 * It runs up to where its libraries are mapped, unless it might have to wait for
 * cpctl meanwhile, and is looked at there. It is still held afterwards.
 */
void recorder_begin(struct recorder *rec);

/*
 * recorder_run() - record until the process ends, and write the file
 *
 * Return: an exit status, after saying what is wrong.
 */
int recorder_run(struct recorder *rec);

/* recorder_close() - free all; NULL is allowed. Does not end the pair. */
void recorder_close(struct recorder *rec);

#endif /* RECORDER_H */
