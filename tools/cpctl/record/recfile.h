/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of a recording that is being made, and its way to its name. */
#ifndef RECFILE_H
#define RECFILE_H

#include "recopts.h"
#include "recwriter.h"
#include "recording.h"
#include "wholefile.h"
#include "witness.h"

/*
 * struct recfile - zero it to begin with
 * @options: how it is recorded, and what the file is to be called
 * @file: where it goes
 * @writer: what writes it; NULL while there is no file
 * @written: checkpoints in it
 * @cut: those of them in which the stack is cut
 * @size: bytes of the file that was written last
 */
struct recfile {
	const struct record_options	*options;
	struct wholefile		file;
	struct recwriter		*writer;
	uint64_t			written;
	uint64_t			cut;
	uint64_t			size;
};

/* All of these return 0, or -1 after saying what is wrong. */

/* recfile_begin() - open it, and write what comes first */
int recfile_begin(struct recfile *file);

/*
 * recfile_checkpoint() - write a checkpoint
 * @witness: what is known of the process; is written when it is new
 * @now: is empty afterwards
 */
int recfile_checkpoint(struct recfile *file, struct witness *witness,
		       struct snapshot *now);

/* recfile_exec() - another program follows; @flags: of struct rec_exec */
int recfile_exec(struct recfile *file, uint32_t flags);

/* recfile_show() - have it hold all that was written, and have its name */
int recfile_show(struct recfile *file);

/* recfile_end() - write its end, and give it its name */
int recfile_end(struct recfile *file, struct witness *witness,
		const struct rec_end *end);

/* recfile_drop() - leave nothing behind; there need not be a file */
void recfile_drop(struct recfile *file);

/*
 * recfile_give_up() - it could not be written to its end: keep what was
 *
 * Says so. There need not be a file.
 */
void recfile_give_up(struct recfile *file);

#endif /* RECFILE_H */
