/* SPDX-License-Identifier: GPL-2.0-only */
/* The subject of a verb: a process, or checkpoints of a recording. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "options.h"
#include "recparts.h"

/* The maximum number of checkpoint numbers on a command line. */
#define SUBJECT_NUMBERS 2

/*
 * struct subject_usage - the arguments of a verb
 * @text: the arguments, for messages
 * @live: whether the subject can be a process
 * @several: whether there can be several processes
 * @parts: whether the verb prints all processes of a recording of several
 * @least: the minimum number of checkpoint numbers after a file
 * @most: the maximum number, at most SUBJECT_NUMBERS
 */
struct subject_usage {
	const char	*text;
	bool		live;
	bool		several;
	bool		parts;
	int		least;
	int		most;
};

/*
 * struct subject - the subject, or several of them
 * @pids: the processes, if @file is NULL
 * @pid: the current one of them
 * @file: the recording, or NULL
 * @parts: its parts, if it is one of several processes and @parts of the usage is set
 * @part: the current one of them; NULL if there is none
 * @number: the checkpoints in @file, as for playback_find(); 0 if not given
 */
struct subject {
	struct pids	pids;
	pid_t		pid;
	const char	*file;
	struct recparts	parts;
	const struct recpart *part;
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
 * subject_print_each() - like subject_each(), but also for each process of a recording
 *
 * All print to one output: @out of @options is set if there are several.
 */
int subject_print_each(struct subject *subject, struct options *options,
		       subject_fn function);

/*
 * subject_print_process() - print which of several processes follows, unless as JSON
 * @printer: the destination
 */
void subject_print_process(const struct subject *subject,
			   const struct options *options,
			   const struct printer *printer);

/*
 * subject_open() - open the process or the recording, at its first number
 *
 * Return: NULL after printing the reason.
 */
struct stream *subject_open(const struct subject *subject,
			    const struct options *options);

#endif /* SUBJECT_H */
