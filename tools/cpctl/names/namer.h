/* SPDX-License-Identifier: GPL-2.0-only */
/* cpctl's side of the namer, the process that finds names of addresses. */
#ifndef NAMER_H
#define NAMER_H

#include "memory.h"
#include "surroundings.h"
#include "terms.h"
#include "wire.h"

/*
 * struct namer - a namer (nameserver.h), started by the first request
 * @around: the surroundings of the process whose addresses it names
 * @terms: the restrictions on reading files
 * @pid: the process id of the namer
 * @socket: the socket to the namer; -1 while there is none
 * @current: whether the namer has the current mappings of @around
 * @generation: the number of changes of these mappings
 * @gone: whether namers have failed too often
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

/* namer_open() - prepare for requests; 0, or -1 with errno ENOMEM */
int namer_open(struct namer *namer, struct surroundings *around,
	       enum reading reading);

/* namer_refresh() - note that the mappings of the process have changed */
void namer_refresh(struct namer *namer);

/* namer_part_fn - receives a part of an answer */
typedef void (*namer_part_fn)(void *arg, const struct wire_message *part);

/*
 * namer_ask() - send a request, and wait for the answer
 * @memory: the memory that the namer may read; NULL for that of @namer->around
 * @part: the function to call for each part of the answer, or NULL
 * @arg: the first argument of @part
 * @done: receives the end of the answer, to be freed with wire_free()
 *
 * If the namer fails, this function prints a message, and the next request starts a
 * namer that reads less. The caller must repeat the request.
 *
 * Return: false if the namer failed.
 */
bool namer_ask(struct namer *namer, const struct wire_message *request,
	       const struct memory *memory, namer_part_fn part, void *arg,
	       struct wire_message *done);

/* namer_close() - end the namer */
void namer_close(struct namer *namer);

#endif /* NAMER_H */
