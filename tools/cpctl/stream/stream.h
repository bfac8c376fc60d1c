/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The checkpoints of a process, one after another: of a living slave (live.h), or of a
 * recording (recorded.h). A verb is a loop:
 *
 *	while (stream_next(stream))
 *		print(stream->now);
 *	status = stream_close(stream, status);
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "instant.h"
#include "playback.h"
#include "surroundings.h"

/*
 * enum stream_last - the meaning of a recording without the number of a checkpoint
 * @LAST_NEVER: all checkpoints one by one
 * @LAST_CRASH: the checkpoint PLAYBACK_CRASH
 * @LAST_OF_ALL: the last checkpoints of all threads, as one instant
 * @LAST_AT: like @LAST_OF_ALL; with a number, those up to that checkpoint
 */
enum stream_last {
	LAST_NEVER,
	LAST_CRASH,
	LAST_OF_ALL,
	LAST_AT,
};

/*
 * struct stream_options - the checkpoints that a verb wants
 * @count: the maximum number of checkpoints; 0 for no limit
 * @compare: whether the verb uses @before of struct stream
 * @ends: whether the verb itself prints the ends of threads
 *
 * These options are for a recording:
 * @part: take the checkpoints of this process
 * @only: take the checkpoints of this thread only; 0 for all
 * @last: what to take if the user gives no number
 *
 * The other options are for a living slave:
 * @process: whether the slave is the process with all its threads
 * @hold: whether to hold the slave for each checkpoint, so that all threads are of one
 *	instant, and threads that sleep are read without waking them, unless @nudge or
 *	@await is set; @count is then the number of instants
 * @differences: whether @count is only of checkpoints that have one before, of the same
 *	thread
 * @nudge: whether to bring a sleeping slave to its next return to user mode
 * @await: whether to wait until the slave returns to user mode without a nudge
 * @timeout_ns: the time limit for each checkpoint; negative for no limit
 * @interval_ns: the minimum time between two checkpoints; a nudge is later than that
 * @every: take only every Nth return to user mode; 0 and 1: all
 * @stack_limit: as in struct cp_pair_options
 */
struct stream_options {
	uint64_t		count;
	bool			compare;
	bool			ends;
	struct partchoice	part;
	pid_t			only;
	enum stream_last	last;
	bool			process;
	bool			hold;
	bool			differences;
	bool			nudge;
	bool			await;
	int64_t			timeout_ns;
	int64_t			interval_ns;
	uint64_t		every;
	uint64_t		stack_limit;
};

/*
 * struct stream_end - the end of a process's checkpoints
 * @reason: CP_END_*; CP_END_NONE if the recording ended and the process continued
 * @status: the status of waitpid(2), for CP_END_EXITED
 */
struct stream_end {
	unsigned int	reason;
	int		status;
};

/*
 * struct stream - the checkpoints of a process, at the current one
 * @ops: the functions of this kind of stream
 * @pid: the id of the living slave
 * @around: the surroundings of the process, as of the current checkpoint
 * @instant: the current checkpoints; with @hold of the options, those of all threads,
 *	the main thread first; of a recording, those of lasts_read(), or NULL without @last
 * @now: the current checkpoint; the first one of @instant
 * @number: the number of @now in the recording; 0 for a living slave
 * @before: the checkpoint before, of the same program and thread; empty if there is none
 * @thread_end: the end of a thread, instead of a checkpoint; NULL at a checkpoint
 * @several: whether the slave has, or has had, several threads; those of a recording that
 *	are wanted
 * @gap: whether the slave has run without a pair since the last checkpoint
 * @replaced: whether the slave has executed another program between the opening of
 *	the stream and its first checkpoint: data that was read before is invalid
 * @play: the recording; NULL for a living slave
 */
struct stream {
	const struct stream_ops	*ops;
	pid_t			pid;
	struct surroundings	*around;
	const struct instant	*instant;
	const struct snapshot	*now;
	uint64_t		number;
	const struct snapshot	*before;
	const struct thread_end	*thread_end;
	bool			several;
	bool			gap;
	bool			replaced;
	const struct playback	*play;
};

/* struct stream_ops - the functions below, of one kind of stream */
struct stream_ops {
	bool	(*next)(struct stream *stream);
	bool	(*ended)(const struct stream *stream, struct stream_end *end);
	int	(*close)(struct stream *stream, int status);
};

/* stream_next() - go to the next checkpoint or end of a thread; false if there are none */
bool stream_next(struct stream *stream);

/*
 * stream_ended() - why there are no more checkpoints, after stream_next() returned false
 * @end: receives the reason
 *
 * Return: false if the reason is the maximum number, an interruption or a failure.
 */
bool stream_ended(const struct stream *stream, struct stream_end *end);

/*
 * stream_close() - report why there are no more checkpoints, and free all
 * @status: the exit status so far
 *
 * The verb may close the stream before its end. Return: the exit status.
 */
int stream_close(struct stream *stream, int status);

#endif /* STREAM_H */
