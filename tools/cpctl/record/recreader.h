/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a recording; recording.h describes its format. The file may be cut off,
 * damaged, or made by an attacker.
 */
#ifndef RECREADER_H
#define RECREADER_H

#include "delta.h"
#include "snapshot.h"

struct recreader;

/*
 * recreader_open() - begin to read a recording
 *
 * Return: NULL after printing the reason.
 */
struct recreader *recreader_open(const char *path);

/*
 * recreader_next() - go to the next record
 * @record: receives the record, which is valid until the next call
 *
 * The rest of the record before is skipped.
 *
 * Return: the type of the record; -1 after printing the reason. The records before a
 * failure are valid.
 */
int recreader_next(struct recreader *rec, struct input **record);

/*
 * recreader_checkpoint() - read a record of type REC_CHECKPOINT
 * @now: the checkpoint before, zeroed at first; receives the checkpoint. Invalid after
 *	a failure
 *
 * Return: 0, or -1 after printing the reason.
 */
int recreader_checkpoint(struct recreader *rec, struct input *record,
			 struct snapshot *now);

/*
 * recreader_end() - check that the recording ends here
 *
 * This function reads the end of the last frame, where the checksum is verified.
 *
 * Return: 0, or -1 after printing the reason.
 */
int recreader_end(struct recreader *rec);

/* recreader_bad() - print that a record is invalid. Return: -1. */
int recreader_bad(struct recreader *rec);

/* recreader_close() - close the file and free @rec; NULL is allowed */
void recreader_close(struct recreader *rec);

#endif /* RECREADER_H */
