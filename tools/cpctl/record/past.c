// SPDX-License-Identifier: GPL-2.0-only
/* The last states of earlier programs of the process, which an exec has replaced. */
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "past.h"

/* A limit for memory: a program may exec itself for days, and each has some pages. */
#define PROGRAMS_MAX 64

int program_keep(struct program *program, struct snapshot *now)
{
	if (program->nr == program->room) {
		size_t room = program->room ? 2 * program->room : 64;
		struct snapshot *more = reallocarray(program->shots, room,
						     sizeof(*more));

		if (!more)
			return -1;
		program->shots = more;
		program->room = room;
	}
	program->shots[program->nr++] = *now;
	memset(now, 0, sizeof(*now));
	return 0;
}

void program_free(struct program *program)
{
	while (program->nr)
		snapshot_free(&program->shots[--program->nr]);
	free(program->shots);
	witness_close(&program->witness);
	memset(program, 0, sizeof(*program));
	program->witness.around.mem = -1;
	program->witness.around.root = -1;
}

/* Frees @nr states of the oldest program, and the program itself if none is left. */
static void forget(struct past *past, size_t nr)
{
	struct program *oldest = past->programs;
	size_t i;

	for (i = 0; i < nr; i++)
		snapshot_free(&oldest->shots[i]);
	oldest->nr -= nr;
	memmove(oldest->shots, oldest->shots + nr,
		oldest->nr * sizeof(oldest->shots[0]));
	if (oldest->nr)
		return;
	program_free(oldest);
	memmove(oldest, oldest + 1, --past->nr * sizeof(*oldest));
}

static void trim(struct past *past, uint64_t most)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < past->nr; i++)
		total += past->programs[i].nr;
	while (past->nr > PROGRAMS_MAX || (past->nr && total > most)) {
		size_t nr = past->programs[0].nr;

		if (past->nr <= PROGRAMS_MAX && total - nr < most)
			nr = total - most;
		total -= nr;
		forget(past, nr);
	}
}

int past_add(struct past *past, struct program *program, uint64_t most)
{
	struct program *more = reallocarray(past->programs, past->nr + 1,
					    sizeof(*more));

	if (!more) {
		program_free(program);
		return -1;
	}
	past->programs = more;
	more[past->nr++] = *program;
	memset(program, 0, sizeof(*program));
	trim(past, most);
	return 0;
}

static int write_program(struct program *program, struct recfile *file)
{
	struct snapshot now = {};
	size_t i;

	program->witness.written = false;
	for (i = 0; i < program->nr; i++) {
		/* A copy, because the state may be written again later. */
		if (snapshot_copy(&now, &program->shots[i])) {
			warn("cannot keep a checkpoint");
			return -1;
		}
		if (recfile_checkpoint(file, &program->witness, &now))
			return -1;
	}
	return 0;
}

int past_write(struct past *past, struct recfile *file)
{
	size_t i;

	for (i = 0; i < past->nr; i++) {
		if ((i && recfile_exec(file, past->programs[i].flags)) ||
		    write_program(&past->programs[i], file))
			return -1;
	}
	return 0;
}

void past_free(struct past *past)
{
	while (past->nr)
		program_free(&past->programs[--past->nr]);
	free(past->programs);
}
