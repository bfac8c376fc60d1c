/* SPDX-License-Identifier: GPL-2.0-only */
/* Places in source files, from debug information. Runs in the namer. */
#ifndef SOURCE_H
#define SOURCE_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

#include "place.h"
#include "units.h"

/*
 * source_places() - the place of an address, and those of the calls inlined there
 * @units: the compilation units of the module
 * @addr: an address inside the instruction
 * @places: receives the places, innermost first; only the last has no function
 * @max: the size of @places, at least 1; the outermost places are omitted beyond it
 *
 * Return: the number of places, at least 1. The strings are valid as long as the
 * module; the names of functions are mangled.
 */
unsigned int source_places(struct units *units,
			   struct Dwfl_Module *module, uint64_t addr,
			   struct place *places, unsigned int max);

#endif /* SOURCE_H */
