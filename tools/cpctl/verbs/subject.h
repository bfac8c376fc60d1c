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
 * @several: whether there can be several processes
 * @least: the minimum number of checkpoint numbers after a file
 * @most: the maximum number, at most SUBJECT_NUMBERS
 */
struct subject_usage {
	const char	*text;
	bool		live;
	bool		several;
	int		least;
	int		most;
};

/*
 * struct subject - the subject, or several of them
 * @pids: the processes, if @file is NULL
 * @pid: the current one of them
 * @file: the recording, or NULL
 * @number: the checkpoints in @file, as for playback_find(); 0 if not given
 */
struct subject {
	struct pids	pids;
	pid_t		pid;
	const char	*file;
	int64_t		number[SUBJECT_NUMBERS];
};

/*
 * subject_parse() - read the options and arguments of a verb
 *
 * A single argument that is a process id is the process. So are several, if the verb
 * takes several. Return: -1 to continue, with @pid set to the first process; else the
 * exit status of cpctl.
 */
int subject_parse(int argc, char **argv, const struct usage *usage,
		  const struct subject_usage *arguments,
		  struct options *options, struct subject *subject);

/* subject_fn - does what the verb does to @subject; returns an exit status */
typedef int (*subject_fn)(const struct subject *subject,
			  const struct options *options);

/*
 * subject_each() - call @function for the recording, or for one process after another
 *
 * A failure does not keep it from the other processes, but an interruption does.
 * Return: EXIT_OK if all have succeeded.
 */
int subject_each(struct subject *subject, const struct options *options,
		 subject_fn function);

/*
 * subject_open() - open the process or the recording, at its first number
 *
 * Return: NULL after printing the reason.
 */
struct stream *subject_open(const struct subject *subject,
			    const struct options *options);

#endif /* SUBJECT_H */
