/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of code addresses of a process, from its ELF files. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "place.h"
#include "surroundings.h"

struct namer;
struct symbols;

/*
 * struct symbol - the symbol of an address
 * @name: the name of the function, NULL without a name
 * @offset: the offset in the function, or in the module if @name is NULL
 * @module: the name of the file without its directory
 *
 * The strings are valid until the next call with the same struct symbols.
 */
struct symbol {
	const char	*name;
	uint64_t	offset;
	const char	*module;
};

/*
 * symbols_open() - prepare for finding names of addresses
 * @around: the surroundings of the process
 *
 * The namer, another process, reads the files. The first request starts the namer: see
 * nameserver.h.
 *
 * Return: NULL with errno ENOMEM.
 */
struct symbols *symbols_open(struct surroundings *around);

/* symbols_close() - end the namer, and free @symbols; NULL is allowed */
void symbols_close(struct symbols *symbols);

/*
 * symbols_refresh() - use the current mappings of the process
 *
 * The caller does this after each surroundings_refresh().
 */
void symbols_refresh(struct symbols *symbols);

/* symbols_find() - find the symbol of @addr; false if no file contains @addr */
bool symbols_find(struct symbols *symbols, uint64_t addr,
		  struct symbol *symbol);

/*
 * symbols_find_return() - find the symbol of the call before a return address
 *
 * Return: false if no file contains @addr, or if there is no call instruction
 * immediately before @addr.
 */
bool symbols_find_return(struct symbols *symbols, uint64_t addr,
			 struct symbol *symbol);

/*
 * symbols_places() - the place of an address, and those of the calls inlined there
 * @addr: an address inside the instruction
 * @places: receives the places, innermost first; only the last has no function
 *
 * Return: the number of places. The strings are valid until the next call of this
 * function, or of symbols_refresh().
 */
unsigned int symbols_places(struct symbols *symbols, uint64_t addr,
			    struct place places[PLACES_MAX]);

/* symbols_address() - the address of the symbol @name, or 0 without such a symbol */
uint64_t symbols_address(struct symbols *symbols, const char *name);

/* symbols_namer() - the namer of @symbols */
struct namer *symbols_namer(struct symbols *symbols);

#endif /* SYMBOLS_H */
