/* SPDX-License-Identifier: GPL-2.0-only */
/* Printing checkpoints: the common part of bt, diff, get, log, run and show. */
#ifndef VIEWER_H
#define VIEWER_H

#include "options.h"

/*
 * struct viewer - a stream that is being printed
 * @stream: the checkpoints
 * @options: the options of the verb
 * @out: the output
 * @printer: the destination, which may fold the lines for @out, and the format
 * @status: the exit status so far
 */
struct viewer {
	struct stream		*stream;
	const struct options	*options;
	FILE			*out;
	struct printer		printer;
	int			status;
};

/*
 * viewer_open() - open the output and the names of the process
 * @stream: the checkpoints, which viewer_close() closes; NULL if they could not be
 *	opened
 *
 * After a failure, whose reason was printed, viewer_next() returns false.
 */
void viewer_open(struct viewer *viewer, struct stream *stream,
		 const struct options *options);

/*
 * viewer_next() - go to the next checkpoint
 *
 * What was printed of a living slave is written first. Ends of threads are printed, unless
 * the verb does that itself (@ends of the options of the stream).
 *
 * Return: false if there are no more checkpoints, or after a failure.
 */
bool viewer_next(struct viewer *viewer);

/* viewer_ended() - stream_ended(); false after a failure to print, too */
bool viewer_ended(struct viewer *viewer, struct stream_end *end);

/* viewer_close() - print the end as JSON, if wanted, and close all; an exit status */
int viewer_close(struct viewer *viewer);

/* viewer_print_thread() - print the thread of the checkpoint, if there are several */
void viewer_print_thread(const struct viewer *viewer);

/* viewer_show_all() - print registers and stacks of all checkpoints */
void viewer_show_all(struct viewer *viewer);

/*
 * viewer_show() - viewer_open(), viewer_show_all() and viewer_close()
 *
 * Return: an exit status.
 */
int viewer_show(struct stream *stream, const struct options *options);

#endif /* VIEWER_H */
