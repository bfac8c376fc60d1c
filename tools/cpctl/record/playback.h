/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a recording checkpoint by checkpoint, with the data of its process. */
#ifndef PLAYBACK_H
#define PLAYBACK_H

#include "identity.h"
#include "instant.h"
#include "recording.h"
#include "recreader.h"
#include "surroundings.h"

/*
 * struct playback_options - the checkpoints of a recording that are wanted
 * @part: the process that is wanted
 * @only: the thread whose checkpoints are wanted; 0 for all
 * @compare: whether @before of struct playback is wanted
 * @quiet: print no messages about damage
 */
struct playback_options {
	struct partchoice	part;
	pid_t			only;
	bool			compare;
	bool			quiet;
};

/*
 * struct playback - a recording that is being read
 * @path: the path of the file
 * @wanted: the options
 * @reader: the reader of the file
 * @identity: the identity of the process
 * @around: the surroundings of the process when the recorder last read them
 * @options: the options of the recorder, all zero in old recordings
 * @execs: the number of execs between the beginning of the recording and @now
 * @exec: whether the next checkpoint is the first one after an exec
 * @late: whether the beginning of the current program was not recorded
 * @now: the current checkpoint
 * @thread: the thread of @now
 * @number: the number of @now: see playback_is_process()
 * @lost: how many checkpoints of the same thread are missing immediately before @now
 * @seq: cp_checkpoint.seq of @now
 * @before: the checkpoint before of the same thread and program; empty if there is none
 * @thread_end: the current end of a thread, if that was the last step
 * @end: the end of the recording, once it has been read
 * @failed: whether the recording is cut off or damaged; the message has been printed
 */
struct playback {
	const char		*path;
	struct playback_options	wanted;
	struct recreader	*reader;
	struct identity		identity;
	struct surroundings	around;
	struct rec_options	options;
	uint64_t		execs;
	bool			exec;
	bool			late;
	const struct snapshot	*now;
	const struct recthread	*thread;
	uint64_t		number;
	uint64_t		lost;
	uint64_t		seq;
	struct snapshot		before;
	struct thread_end	thread_end;
	struct rec_end		end;
	bool			failed;
};

/* playback_open() - open a recording; false after printing the reason */
bool playback_open(struct playback *play, const char *path,
		   const struct playback_options *wanted);

/*
 * playback_is_process() - is the recording one of all threads of a process?
 *
 * Its checkpoints are numbered from 1, in the order of the file. In the recording of one
 * thread, the number is cp_checkpoint.seq. Valid after the first step.
 */
bool playback_is_process(const struct playback *play);

/*
 * enum playback_step - the result of playback_step()
 * @PLAYBACK_CHECKPOINT: a checkpoint
 * @PLAYBACK_THREAD_END: the end of a thread
 * @PLAYBACK_OVER: the end of the recording, damage, or an interruption
 */
enum playback_step {
	PLAYBACK_CHECKPOINT,
	PLAYBACK_THREAD_END,
	PLAYBACK_OVER,
};

/* playback_step() - go to the next checkpoint, or end of a thread, that is wanted */
enum playback_step playback_step(struct playback *play);

/* playback_next() - go to the next checkpoint; false when there is none */
bool playback_next(struct playback *play);

/*
 * playback_first() - go back to before the first checkpoint
 *
 * @failed is kept: a second reading may stop before the damage. Return: as playback_open().
 */
bool playback_first(struct playback *play);

/* Numbers for playback_find(). */
#define PLAYBACK_CRASH	0
#define PLAYBACK_LAST	-1

/*
 * playback_find() - go to the checkpoint with a number
 * @number: the number of the checkpoint; or counted from the end, from PLAYBACK_LAST; or
 *	PLAYBACK_CRASH: the state in which the thread died that alone received a deadly
 *	signal, or the last one if there is no such thread
 *
 * This function first reads the whole recording, to report damage even if it is after
 * the checkpoint.
 *
 * Return: false after printing that there is no such checkpoint.
 */
bool playback_find(struct playback *play, int64_t number);

/*
 * playback_has_threads() - does a recording have checkpoints of more than one thread?
 * @part: as in struct playback_options
 */
bool playback_has_threads(const char *path, const struct partchoice *part);

/*
 * playback_status() - the exit status, after the verb has printed its output
 * @status: the exit status so far
 *
 * This function prints a message if an interruption has cut the output short.
 */
int playback_status(const struct playback *play, int status);

/* playback_close() - free all, even after playback_open() has failed */
void playback_close(struct playback *play);

#endif /* PLAYBACK_H */
