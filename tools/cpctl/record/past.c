// SPDX-License-Identifier: GPL-2.0-only
/* The last states of earlier programs of the process, which an exec has replaced. */
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "past.h"

/* A limit for memory: a program may exec itself for days, and each has some pages. */
#define PROGRAMS_MAX 64

int program_keep(struct program *program, struct moment *now)
{
	if (program->nr == program->room) {
		size_t room = program->room ? 2 * program->room : 64;
		struct moment *more = reallocarray(program->moments, room,
						   sizeof(*more));

		if (!more)
			return -1;
		program->moments = more;
		program->room = room;
	}
	program->moments[program->nr++] = *now;
	memset(now, 0, sizeof(*now));
	return 0;
}

void program_free(struct program *program)
{
	while (program->nr)
		snapshot_free(&program->moments[--program->nr].shot);
	free(program->moments);
	witness_close(&program->witness);
	memset(program, 0, sizeof(*program));
	program->witness.around.mem = -1;
	program->witness.around.root = -1;
}

/* Frees @nr moments of the oldest program, and the program itself if none is left. */
static void forget(struct past *past, size_t nr)
{
	struct program *oldest = past->programs;
	size_t i;

	for (i = 0; i < nr; i++)
		snapshot_free(&oldest->moments[i].shot);
	oldest->nr -= nr;
	memmove(oldest->moments, oldest->moments + nr,
		oldest->nr * sizeof(oldest->moments[0]));
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
	/* The exec has ended the other threads. */
	while (program->nr && program->moments[program->nr - 1].is_end)
		program->nr--;
	more[past->nr++] = *program;
	memset(program, 0, sizeof(*program));
	trim(past, most);
	return 0;
}

/* Writes a copy of a moment, because it may be written again later. */
static int write_copy(struct program *program, const struct moment *moment,
		      struct recfile *file)
{
	struct moment now = { .is_end = moment->is_end, .end = moment->end };

	if (!snapshot_copy(&now.shot, &moment->shot))
		return recfile_moment(file, &program->witness, &now);
	warn("cannot keep a checkpoint");
	return -1;
}

static int write_program(struct program *program, struct recfile *file)
{
	size_t i;

	program->witness.written = false;
	for (i = 0; i < program->nr; i++) {
		if (write_copy(program, &program->moments[i], file))
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
