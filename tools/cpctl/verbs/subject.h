/* SPDX-License-Identifier: GPL-2.0-only */
/* The subject of a verb: a process, or checkpoints of a recording. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "options.h"

/* The maximum number of checkpoint numbers on a command line. */
#define SUBJECT_NUMBERS 2

/*
 * struct subject_usage - the arguments of a verb
 * @text: the arguments, for messages
 * @live: whether the subject can be a process
 * @least: the minimum number of checkpoint numbers after a file
 * @most: the maximum number, at most SUBJECT_NUMBERS
 */
struct subject_usage {
	const char	*text;
	bool		live;
	int		least;
	int		most;
};

/*
 * struct subject - the subject
 * @pid: the process, if @file is NULL
 * @file: the recording, or NULL
 * @number: the checkpoints in @file, as for playback_find(); 0 if not given
 */
struct subject {
	pid_t		pid;
	const char	*file;
	int64_t		number[SUBJECT_NUMBERS];
};

/*
 * subject_parse() - read the options and arguments of a verb
 *
 * A single argument that is a process id is the process. Return: -1 to continue, else
 * the exit status of cpctl.
 */
int subject_parse(int argc, char **argv, const struct usage *usage,
		  const struct subject_usage *arguments,
		  struct options *options, struct subject *subject);

/*
 * subject_open() - open the process or the recording, at its first number
 *
 * Return: NULL after printing the reason.
 */
struct stream *subject_open(const struct subject *subject,
			    const struct options *options);

#endif /* SUBJECT_H */
