/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a recording of several processes. The file may be made by an attacker. */
#ifndef RECPARTS_H
#define RECPARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "recording.h"

/*
 * struct recpart - a part
 * @head: its beginning; @name is terminated by a zero
 * @offset: where its recording begins in the file
 */
struct recpart {
	struct rec_part	head;
	uint64_t	offset;
};

/*
 * struct recparts - the parts of a file; all zero at first
 * @nr: number of @parts
 * @room: the number of parts for which @parts has memory
 * @parts: the parts, those of processes that crashed first; then those of the others, in
 *	the order in which they began
 * @cut: whether the file is cut off in the last part, or after it
 */
struct recparts {
	size_t		nr;
	size_t		room;
	struct recpart	*parts;
	bool		cut;
};

/*
 * recparts_read() - read the beginnings of all parts
 * @file: the file, which can be read anywhere; after its struct rec_file
 *
 * Return: 0, or -1 with errno: ENOMEM, EINVAL if there are too many parts, or that of
 * reading.
 */
int recparts_read(struct recparts *parts, FILE *file);

/*
 * recparts_open() - recparts_read() for the file @path
 *
 * Of a file that is not a recording of several processes, @parts is empty. Return: false
 * after printing the reason.
 */
bool recparts_open(struct recparts *parts, const char *path);

/* recpart_crashed() - was the process killed by a signal that users do not end it with? */
bool recpart_crashed(const struct rec_part *part);

/*
 * struct partchoice - a part that is wanted
 * @process: the process; 0: the one that crashed first, or the first one
 * @index: with more than 0, the part with this index in struct recparts, counted from 1
 */
struct partchoice {
	pid_t	process;
	size_t	index;
};

/* recparts_find() - the part that is wanted, or NULL */
const struct recpart *recparts_find(const struct recparts *parts,
				    const struct partchoice *choice);

/* recparts_free() - free the parts */
void recparts_free(struct recparts *parts);

#endif /* RECPARTS_H */
