/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording, checkpoint by checkpoint, with what is known of its process. */
#ifndef PLAYBACK_H
#define PLAYBACK_H

#include "identity.h"
#include "recording.h"
#include "recreader.h"
#include "surroundings.h"

/*
 * struct playback - a recording that is being looked at
 * @path: its name
 * @reader: the file
 * @identity: of the process
 * @around: the process as it was when the recorder last looked
 * @options: how it was recorded, all zero in old recordings
 * @execs: how many programs the process had executed in it before @now
 * @late: the last of them ran before it was recorded: its beginning is missing
 * @now: the current checkpoint
 * @end: how it ended, once that has come
 * @failed: it is cut off or damaged, which has been said
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

/* playback_open() - false after saying what is wrong */
bool playback_open(struct playback *play, const char *path);

/* playback_next() - go to the next checkpoint; false when there is none */
bool playback_next(struct playback *play);

/* playback_first() - go back to before the first; false as playback_open() */
bool playback_first(struct playback *play);

/*
 * playback_find() - go to the checkpoint of a number
 * @number: its number; or, counted from the end: -1 is the last
 *
 * The whole recording is read first, so that damage is told also when it is
 * behind the checkpoint.
 *
 * Return: false after saying that there is none.
 */
bool playback_find(struct playback *play, int64_t number);

/*
 * playback_status() - the exit status, after all that was wanted has been printed
 * @status: the exit status so far
 *
 * Says so when an interruption left something out.
 */
int playback_status(const struct playback *play, int status);

/* playback_close() - free all; also of one that could not be opened */
void playback_close(struct playback *play);

#endif /* PLAYBACK_H */
