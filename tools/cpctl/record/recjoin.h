/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of a recording of several processes, to which each adds its own recording. */
#ifndef RECJOIN_H
#define RECJOIN_H

#include "recording.h"
#include "wholefile.h"

/*
 * struct recjoin - the file
 * @file: the file; its @path is NULL while it is not open
 * @nr: the number of its parts
 * @complete: the size of all complete parts; those after it are of processes that run
 */
struct recjoin {
	struct wholefile	file;
	unsigned int		nr;
	off_t			complete;
};

/* The functions with a return value return 0, or -1 after printing the reason. */

/* recjoin_open() - begin the file */
int recjoin_open(struct recjoin *join, const char *path);

/*
 * recjoin_add() - add a part
 * @part: its beginning; this function sets @size
 * @path: the recording of its process
 * @running: whether the process runs: the part is replaced by the next one that is complete
 */
int recjoin_add(struct recjoin *join, struct rec_part *part, const char *path,
		bool running);

/* recjoin_reset() - remove the parts of processes that run */
int recjoin_reset(struct recjoin *join);

/* recjoin_show() - give the file its final name, before it is complete */
int recjoin_show(struct recjoin *join);

/* recjoin_keep() - give the complete file its final name */
int recjoin_keep(struct recjoin *join);

/* recjoin_drop() - remove the file */
void recjoin_drop(struct recjoin *join);

#endif /* RECJOIN_H */
