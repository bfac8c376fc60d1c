/* SPDX-License-Identifier: GPL-2.0-only */
/* Places in source files, as far as there is debug information. */
#ifndef SOURCE_H
#define SOURCE_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

/*
 * struct place - where code comes from
 * @function: the function that was inlined there; NULL when none was
 * @file: the source file; NULL when it is not known
 * @line: the line in it
 *
 * The strings live as long as the module.
 */
struct place {
	const char	*function;
	const char	*file;
	int		line;
};

/*
 * source_places() - the place of an address, and of the calls inlined there
 * @addr: an address inside the instruction
 * @places: receives them, the innermost first; only the last has no function
 * @max: room for so many, at least 1; the outermost are left out beyond it
 *
 * Return: how many, at least 1.
 */
unsigned int source_places(Dwfl_Module *module, uint64_t addr,
			   struct place *places, unsigned int max);

#endif /* SOURCE_H */
