/* SPDX-License-Identifier: GPL-2.0-only */
/* The ELF files that a process has mapped, as modules of libdwfl. Runs in the namer. */
#ifndef MODULES_H
#define MODULES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

#include "terms.h"
#include "units.h"

/*
 * struct modules - the modules of a process
 * @terms: the restrictions on reading them
 * @dwfl: the modules of libdwfl
 * @maps: the text of /proc/PID/maps, NULL before modules_report()
 */
struct modules {
	const struct terms	*terms;
	Dwfl			*dwfl;
	char			*maps;
};

/* modules_open() - prepare for modules_report(); false if memory ran out */
bool modules_open(struct modules *modules, const struct terms *terms);

/* modules_report() - set the current mappings; @modules then owns @maps */
void modules_report(struct modules *modules, char *maps);

/*
 * modules_at() - the module at an address, or NULL
 *
 * This function also calls modules_blame() for the module.
 */
Dwfl_Module *modules_at(const struct modules *modules, uint64_t addr);

/*
 * modules_blame() - record the module in *@terms->blame
 *
 * If the namer crashes while it reads this module, terms_shun() restricts the module.
 */
void modules_blame(const struct modules *modules, Dwfl_Module *module);

/* modules_reading() - how much of a module may be read */
enum reading modules_reading(Dwfl_Module *module);

/* modules_units() - the compilation units of a module */
struct units *modules_units(Dwfl_Module *module);

/* modules_is_code() - is @addr in an executable mapping? */
bool modules_is_code(const struct modules *modules, uint64_t addr);

#endif /* MODULES_H */
