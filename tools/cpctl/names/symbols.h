/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of a process's code addresses, from its ELF files. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "place.h"
#include "surroundings.h"

struct namer;
struct symbols;

/*
 * struct symbol - what is known of an address
 * @name: the function, NULL when it has no name
 * @offset: bytes from the function's beginning, or from the module's when
 *	@name is NULL
 * @module: the file, without its directory
 *
 * The strings live until the next call with the same struct symbols.
 */
struct symbol {
	const char	*name;
	uint64_t	offset;
	const char	*module;
};

/*
 * symbols_open() - for the process whose surroundings these are
 *
 * The files are read by another process, which is started when it is needed: see
 * nameserver.h.
 *
 * Return: NULL with errno ENOMEM.
 */
struct symbols *symbols_open(struct surroundings *around);

/* symbols_close() - free all; NULL is allowed. */
void symbols_close(struct symbols *symbols);

/*
 * symbols_refresh() - look which files the process has mapped now
 *
 * To be called after each surroundings_refresh().
 */
void symbols_refresh(struct symbols *symbols);

/* symbols_find() - false when @addr is in no file. */
bool symbols_find(struct symbols *symbols, uint64_t addr,
		  struct symbol *symbol);

/*
 * symbols_find_return() - the same for what may be a return address
 *
 * Return: false also when there is no call instruction right before @addr. The
 * symbol is that of the call.
 */
bool symbols_find_return(struct symbols *symbols, uint64_t addr,
			 struct symbol *symbol);

/*
 * symbols_places() - the place of an address, and of the calls inlined there
 * @addr: an address inside the instruction
 * @places: receives them, the innermost first; only the last has no function
 *
 * Return: how many. The strings live until the next call of this function, or of
 * symbols_refresh().
 */
unsigned int symbols_places(struct symbols *symbols, uint64_t addr,
			    struct place places[PLACES_MAX]);

/* symbols_address() - where @name is, 0 when nothing of that name is known */
uint64_t symbols_address(struct symbols *symbols, const char *name);

/* symbols_namer() - who knows all this */
struct namer *symbols_namer(struct symbols *symbols);

#endif /* SYMBOLS_H */
