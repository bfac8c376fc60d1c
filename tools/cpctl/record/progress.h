/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recorder prints about the recording, while and after it is made. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <checkpoint.h>

#include "recfile.h"

/*
 * struct progress - the progress of a recording
 * @pid: the process
 * @pair: the pair with the process
 * @base: the number of checkpoints of all earlier programs
 * @missed: the number of checkpoints that were lost
 * @unseen: the number of threads that are not in the recording
 * @file: the file
 */
struct progress {
	pid_t			pid;
	const struct cp_pair	*pair;
	uint64_t		base;
	uint64_t		missed;
	unsigned int		unseen;
	const struct recfile	*file;
};

/*
 * progress_count() - the number of checkpoints that the pair has made so far
 *
 * In a pair with a process, those of threads whose part of the region has another thread
 * now are not counted.
 */
uint64_t progress_count(const struct cp_pair *pair);

/* progress_show() - show the progress on a terminal, in place of the line of the last call */
void progress_show(const struct progress *progress);

/* progress_line() - show @text instead, cut to the width of the terminal */
void progress_line(const char *text);

/* progress_end() - erase the line of progress_show() */
void progress_end(void);

/*
 * progress_shortcomings() - print what a complete recording lacks
 * @cut: the number of checkpoints whose stack is cut
 * @unseen: the number of threads, and children, that are missing
 */
void progress_shortcomings(uint64_t cut, unsigned int unseen);

/* progress_written() - print what the file holds, after it was written */
void progress_written(const struct progress *progress);

#endif /* PROGRESS_H */
