/* SPDX-License-Identifier: GPL-2.0-only */
/* Places in source files, as far as there is debug information. In the namer. */
#ifndef SOURCE_H
#define SOURCE_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

#include "place.h"
#include "units.h"

/*
 * source_places() - the place of an address, and of the calls inlined there
 * @units: of the module
 * @addr: an address inside the instruction
 * @places: receives them, the innermost first; only the last has no function
 * @max: room for so many, at least 1; the outermost are left out beyond it
 *
 * Return: how many, at least 1. The strings live as long as the module; the
 * functions' names are as linkers see them.
 */
unsigned int source_places(struct units *units,
			   struct Dwfl_Module *module, uint64_t addr,
			   struct place *places, unsigned int max);

#endif /* SOURCE_H */
