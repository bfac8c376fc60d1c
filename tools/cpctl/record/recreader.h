/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a recording; its layout is in recording.h. The file may be anything:
 * cut off, damaged, made by somebody who means harm.
 */
#ifndef RECREADER_H
#define RECREADER_H

#include "delta.h"
#include "snapshot.h"

struct recreader;

/*
 * recreader_open() - begin to read
 *
 * Return: NULL after saying what is wrong.
 */
struct recreader *recreader_open(const char *path);

/*
 * recreader_next() - go to the next record
 * @record: receives it; good until the next call
 *
 * What is left of the record before is skipped.
 *
 * Return: its type. -1 after saying what is wrong: what was read before is good.
 */
int recreader_next(struct recreader *rec, struct input **record);

/*
 * recreader_checkpoint() - read a record of type REC_CHECKPOINT
 * @now: the checkpoint before, zeroed at first; becomes this one. It makes no
 *	sense when this fails
 *
 * Return: 0, or -1 after saying what is wrong.
 */
int recreader_checkpoint(struct recreader *rec, struct input *record,
			 struct snapshot *now);

/*
 * recreader_end() - nothing may follow
 *
 * A frame shows at its end whether what it held was damaged.
 *
 * Return: 0, or -1 after saying what is wrong.
 */
int recreader_end(struct recreader *rec);

/* recreader_bad() - say that a record makes no sense. Return: -1. */
int recreader_bad(struct recreader *rec);

/* recreader_close() - free it; NULL is allowed. */
void recreader_close(struct recreader *rec);

#endif /* RECREADER_H */
