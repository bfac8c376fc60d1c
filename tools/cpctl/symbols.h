/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of a process's code addresses, from its ELF files. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

#include "surroundings.h"

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

/* symbols_address() - where @name is, 0 when nothing of that name is known */
uint64_t symbols_address(const struct symbols *symbols, const char *name);

/* symbols_dwfl() - the modules as libdwfl knows them */
Dwfl *symbols_dwfl(const struct symbols *symbols);

#endif /* SYMBOLS_H */
