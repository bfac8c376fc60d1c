/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a recording checkpoint by checkpoint, with the data of its process. */
#ifndef PLAYBACK_H
#define PLAYBACK_H

#include "identity.h"
#include "recording.h"
#include "recreader.h"
#include "surroundings.h"

/*
 * struct playback - a recording that is being read
 * @path: the path of the file
 * @reader: the reader of the file
 * @identity: the identity of the process
 * @around: the surroundings of the process when the recorder last read them
 * @options: the options of the recorder, all zero in old recordings
 * @execs: the number of execs between the beginning of the recording and @now
 * @late: whether the beginning of the current program was not recorded
 * @now: the current checkpoint
 * @end: the end of the recording, once it has been read
 * @failed: whether the recording is cut off or damaged; the message has been printed
 */
struct playback {
	const char		*path;
	struct recreader	*reader;
	struct identity		identity;
	struct surroundings	around;
	struct rec_options	options;
	uint64_t		execs;
	bool			late;
	struct snapshot		now;
	struct rec_end		end;
	bool			failed;
};

/* playback_open() - open a recording; false after printing the reason */
bool playback_open(struct playback *play, const char *path);

/* playback_next() - go to the next checkpoint; false when there is none */
bool playback_next(struct playback *play);

/* playback_first() - go back to before the first checkpoint; as playback_open() */
bool playback_first(struct playback *play);

/*
 * playback_find() - go to the checkpoint with a number
 * @number: the number of the checkpoint; or counted from the end: -1 is the last one
 *
 * This function first reads the whole recording, to report damage even if it is after
 * the checkpoint.
 *
 * Return: false after printing that there is no such checkpoint.
 */
bool playback_find(struct playback *play, int64_t number);

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
