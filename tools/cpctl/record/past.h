/* SPDX-License-Identifier: GPL-2.0-only */
/* The last states of programs that an exec has replaced by the recorded one. */
#ifndef PAST_H
#define PAST_H

#include "recfile.h"

/*
 * struct program - one of them
 * @witness: what was known of it
 * @flags: of struct rec_exec: how its recording began
 * @nr: number of @shots
 * @room: how many there is room for
 * @shots: its last states
 */
struct program {
	struct witness	witness;
	uint32_t	flags;
	size_t		nr;
	size_t		room;
	struct snapshot	*shots;
};

/* struct past - all of them, oldest first; zero it to begin with */
struct past {
	size_t		nr;
	struct program	*programs;
};

/* program_keep() - add a state; @now is empty afterwards. 0, or -1 (ENOMEM) */
int program_keep(struct program *program, struct snapshot *now);

/* program_free() - free all that it holds */
void program_free(struct program *program);

/*
 * past_add() - one more has been replaced
 * @program: belongs to @past afterwards, whatever happens
 * @most: states to be kept of all of them; the oldest go
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int past_add(struct past *past, struct program *program, uint64_t most);

/* past_write() - write all, each after the first behind a REC_EXEC; 0 or -1 */
int past_write(struct past *past, struct recfile *file);

/* past_free() - free all */
void past_free(struct past *past);

#endif /* PAST_H */
