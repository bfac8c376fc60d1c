/* SPDX-License-Identifier: GPL-2.0-only */
/* The last states of earlier programs of the process, which an exec has replaced. */
#ifndef PAST_H
#define PAST_H

#include "moment.h"
#include "recfile.h"

/*
 * struct program - a program of the recorded process
 * @witness: the data of the process while the program ran
 * @flags: the flags of its struct rec_exec
 * @nr: number of @moments
 * @room: the number of moments for which @moments has memory
 * @moments: its last states, and the ends of its threads
 */
struct program {
	struct witness	witness;
	uint32_t	flags;
	size_t		nr;
	size_t		room;
	struct moment	*moments;
};

/* struct past - all earlier programs, oldest first; all zero at first */
struct past {
	size_t		nr;
	struct program	*programs;
};

/* program_keep() - add a moment, and empty @now; 0, or -1 with errno ENOMEM */
int program_keep(struct program *program, struct moment *now);

/* program_free() - free all members; the program is empty then */
void program_free(struct program *program);

/*
 * past_add() - add a program that was replaced
 * @program: the program, which @past then owns, even after a failure
 * @most: the maximum number of moments of all programs; the oldest are freed
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int past_add(struct past *past, struct program *program, uint64_t most);

/* past_write() - write all programs, with a REC_EXEC between two; 0 or -1 */
int past_write(struct past *past, struct recfile *file);

/* past_free() - free all programs */
void past_free(struct past *past);

#endif /* PAST_H */
