/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbols of ELF files. Runs in the namer. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "modules.h"

/*
 * struct found_symbol - the symbol of an address
 * @name: the name of its function; NULL without a name
 * @offset: the offset in the function, or in the module if @name is NULL
 * @file: the name of the module
 */
struct found_symbol {
	char		*name;
	uint64_t	offset;
	const char	*file;
};

/*
 * lookup_symbol() - find the symbol of an address
 * @found: receives the symbol; the caller frees its name
 *
 * Return: false if no module contains @addr.
 */
bool lookup_symbol(const struct modules *modules, uint64_t addr,
		   struct found_symbol *found);

/* lookup_follows_call() - is there a call instruction immediately before @addr? */
bool lookup_follows_call(const struct modules *modules, uint64_t addr);

/* lookup_code() - read @size bytes of code from the file; false if there are fewer */
bool lookup_code(const struct modules *modules, uint64_t addr, void *to,
		 size_t size);

/* lookup_address() - the address of the symbol @name, or 0 without such a symbol */
uint64_t lookup_address(const struct modules *modules, const char *name);

#endif /* LOOKUP_H */
