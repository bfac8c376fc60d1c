/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a recording; recording.h describes its format. The file may be cut off,
 * damaged, or made by an attacker.
 */
#ifndef RECREADER_H
#define RECREADER_H

#include "input.h"
#include "recparts.h"
#include "recthreads.h"

struct recreader;

/*
 * recreader_open() - begin to read a recording
 * @choice: the part to read of a recording of several processes; ignored for others
 *
 * Return: NULL after printing the reason.
 */
struct recreader *recreader_open(const char *path,
				 const struct partchoice *choice);

/* recreader_is_part() - is the recording a part of one of several processes? */
bool recreader_is_part(const struct recreader *rec);

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
 * recreader_quiet() - print no messages from now on
 *
 * For a reading before the one that prints them.
 */
void recreader_quiet(struct recreader *rec);

/*
 * recreader_checkpoint() - read a record of type REC_CHECKPOINT
 * @before: if not NULL, receives a copy of the last checkpoint of the same thread, which
 *	is empty if there is none; zeroed at first
 *
 * Return: the thread, whose last checkpoint is this one; valid until the next record is
 * read. NULL after printing the reason.
 */
const struct recthread *recreader_checkpoint(struct recreader *rec,
					     struct input *record,
					     struct snapshot *before);

/* recreader_name() - read a record of type REC_THREAD; 0, or -1 after printing the reason */
int recreader_name(struct recreader *rec, struct input *record);

/*
 * recreader_thread_end() - read a record of type REC_THREAD_END
 * @name: receives the name of the thread; empty if it is not known
 *
 * Return: 0, or -1 after printing the reason.
 */
int recreader_thread_end(struct recreader *rec, struct input *record,
			 struct rec_thread_end *end, char name[REC_NAME_SIZE]);

/* recreader_forget() - all threads are forgotten, by a REC_FORGET or a REC_EXEC */
void recreader_forget(struct recreader *rec);

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
