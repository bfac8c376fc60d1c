/* SPDX-License-Identifier: GPL-2.0-only */
/* The ELF files that a process has mapped, as libdwfl knows them. In the namer. */
#ifndef MODULES_H
#define MODULES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

#include "terms.h"
#include "units.h"

/*
 * struct modules - of a process
 * @terms: how much of them may be read
 * @dwfl: the modules
 * @maps: the text of /proc/PID/maps, NULL before modules_report()
 */
struct modules {
	const struct terms	*terms;
	Dwfl			*dwfl;
	char			*maps;
};

/* modules_open() - there are none yet; false when memory ran out */
bool modules_open(struct modules *modules, const struct terms *terms);

/* modules_report() - it has these mappings now; @maps is freed here later */
void modules_report(struct modules *modules, char *maps);

/*
 * modules_at() - the module at an address, or NULL
 *
 * If what is read next ends the namer, this module is to blame.
 */
Dwfl_Module *modules_at(const struct modules *modules, uint64_t addr);

/* modules_blame() - the same of a module that is known */
void modules_blame(const struct modules *modules, Dwfl_Module *module);

/* modules_reading() - how much may be read of a module */
enum reading modules_reading(Dwfl_Module *module);

/* modules_units() - the compilation units of a module */
struct units *modules_units(Dwfl_Module *module);

/* modules_is_code() - may there be code at this address? */
bool modules_is_code(const struct modules *modules, uint64_t addr);

#endif /* MODULES_H */
