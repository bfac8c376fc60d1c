/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of a recording that is being written, and its naming. */
#ifndef RECFILE_H
#define RECFILE_H

#include "moment.h"
#include "recopts.h"
#include "recwriter.h"
#include "recording.h"
#include "wholefile.h"
#include "witness.h"

/*
 * struct recfile - the file of a recording; all but @options is zero at first
 * @options: the options of the recording, with the path of the file
 * @file: the file
 * @writer: the writer; NULL while there is no file
 * @written: number of checkpoints in the file
 * @cut: number of checkpoints whose stack is cut
 * @size: size of the last file that was completed or shown
 */
struct recfile {
	const struct record_options	*options;
	struct wholefile		file;
	struct recwriter		*writer;
	uint64_t			written;
	uint64_t			cut;
	uint64_t			size;
};

/* The functions with a return value return 0, or -1 after printing the reason. */

/* recfile_begin() - open the file, and write its first records */
int recfile_begin(struct recfile *file);

/*
 * recfile_moment() - write a checkpoint, or the end of a thread
 * @witness: the data of the process, written before a checkpoint if it has changed
 * @now: the moment, which is empty afterwards
 */
int recfile_moment(struct recfile *file, struct witness *witness,
		   struct moment *now);

/* recfile_exec() - write that another program follows; @flags: of struct rec_exec */
int recfile_exec(struct recfile *file, uint32_t flags);

/* recfile_show() - flush the file, and give it its final name */
int recfile_show(struct recfile *file);

/* recfile_end() - write the end, and give the file its final name */
int recfile_end(struct recfile *file, struct witness *witness,
		const struct rec_end *end);

/* recfile_drop() - remove the file, if there is one */
void recfile_drop(struct recfile *file);

/*
 * recfile_give_up() - keep the incomplete file, if there is one
 *
 * This function prints a message about the file.
 */
void recfile_give_up(struct recfile *file);

#endif /* RECFILE_H */
