/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbols of ELF files. In the namer. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "modules.h"

/*
 * struct found_symbol - what an address is
 * @name: its function; NULL when it has no name
 * @offset: bytes from the function's beginning, or from the module's
 * @file: the module
 */
struct found_symbol {
	char		*name;
	uint64_t	offset;
	const char	*file;
};

/* lookup_symbol() - false when @addr is in no module; the name is to be freed */
bool lookup_symbol(const struct modules *modules, uint64_t addr,
		   struct found_symbol *found);

/* lookup_follows_call() - is there a call instruction right before @addr? */
bool lookup_follows_call(const struct modules *modules, uint64_t addr);

/* lookup_code() - @size bytes of code, as they are in the file; false for none */
bool lookup_code(const struct modules *modules, uint64_t addr, void *to,
		 size_t size);

/* lookup_address() - where @name is, 0 when there is nothing of that name */
uint64_t lookup_address(const struct modules *modules, const char *name);

#endif /* LOOKUP_H */
