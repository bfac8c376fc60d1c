/* SPDX-License-Identifier: GPL-2.0-only */
/* The subject of bt and dump: a process, or a checkpoint of a recording. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "playback.h"
#include "take.h"

/*
 * struct subject - the subject
 * @pid: the process, if @file is NULL
 * @file: the recording, or NULL
 * @number: the number of the checkpoint in @file, as for playback_find()
 */
struct subject {
	pid_t		pid;
	const char	*file;
	int64_t		number;
};

/*
 * subject_parse() - read the options and arguments of a verb
 *
 * Return: -1 to continue, else the exit status of cpctl.
 */
int subject_parse(int argc, char **argv, const struct take_usage *usage,
		  struct take_options *options, struct subject *subject);

/* subject_fn - processes a recorded checkpoint; returns an exit status */
typedef int (*subject_fn)(struct playback *play,
			  const struct take_options *options);

/*
 * subject_open() - go to the recorded checkpoint, and call @use
 *
 * Return: an exit status.
 */
int subject_open(const struct subject *subject,
		 const struct take_options *options, subject_fn use);

#endif /* SUBJECT_H */
