/* SPDX-License-Identifier: GPL-2.0-only */
/* Which compilation unit an address is of. In the namer. */
#ifndef UNITS_H
#define UNITS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>

/* struct span - a range of addresses of a unit, as they are in the file */
struct span {
	Dwarf_Addr	start;
	Dwarf_Addr	end;
	Dwarf_Die	*unit;
};

/*
 * struct units - those of a module; zero it to begin with
 * @known: @spans was made
 * @bias: what to take from an address of the process for one in the file
 * @nr: number of @spans
 * @spans: by ascending start
 */
struct units {
	bool		known;
	Dwarf_Addr	bias;
	size_t		nr;
	struct span	*spans;
};

/*
 * units_find() - the unit that an address is of
 * @bias: receives what to take from an address for one of the unit's
 *
 * Compilers need not write .debug_aranges, and clang and rustc do not. Where they
 * do, libdw takes addresses between two ranges to be of the one before.
 *
 * Return: NULL when it is of none.
 */
Dwarf_Die *units_find(struct units *units, Dwfl_Module *module, Dwarf_Addr addr,
		      Dwarf_Addr *bias);

#endif /* UNITS_H */
