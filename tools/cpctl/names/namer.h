/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that names addresses for cpctl: cpctl's side of it. */
#ifndef NAMER_H
#define NAMER_H

#include "memory.h"
#include "surroundings.h"
#include "terms.h"
#include "wire.h"

/*
 * struct namer - a namer (nameserver.h), started when it is first asked
 * @around: the process whose addresses it names
 * @terms: how much it may read
 * @pid: the namer's process
 * @socket: to it; -1 when there is none
 * @current: it knows @around's mappings
 * @generation: how often these have changed
 * @gone: it has failed too often
 */
struct namer {
	struct surroundings	*around;
	struct terms		terms;
	pid_t			pid;
	int			socket;
	bool			current;
	unsigned long		generation;
	bool			gone;
};

/* namer_open() - -1 with errno ENOMEM */
int namer_open(struct namer *namer, struct surroundings *around,
	       enum reading reading);

/* namer_refresh() - the process has other mappings now */
void namer_refresh(struct namer *namer);

/* namer_part_fn - receives a part of an answer */
typedef void (*namer_part_fn)(void *arg, const struct wire_message *part);

/*
 * namer_ask() - send a request, and wait for the answer
 * @memory: of which it may read; NULL: what is around
 * @part: receives the parts of the answer
 * @done: receives the end of the answer, to be freed with wire_free()
 *
 * A namer that fails is replaced by one that reads less, which is told to the user.
 * It has to be asked again.
 *
 * Return: false when it failed.
 */
bool namer_ask(struct namer *namer, const struct wire_message *request,
	       const struct memory *memory, namer_part_fn part, void *arg,
	       struct wire_message *done);

/* namer_close() - end it */
void namer_close(struct namer *namer);

#endif /* NAMER_H */
