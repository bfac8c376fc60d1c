/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding the compilation unit of an address. Runs in the namer. */
#ifndef UNITS_H
#define UNITS_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>

/* struct span - a range of a unit's addresses, as stored in the file */
struct span {
	Dwarf_Addr	start;
	Dwarf_Addr	end;
	Dwarf_Die	*unit;
};

/*
 * struct units - the compilation units of a module; all zero at first
 * @known: whether @spans has been filled in
 * @bias: the address in the process minus the address in the file
 * @nr: number of @spans
 * @spans: the address ranges, sorted by ascending start
 */
struct units {
	bool		known;
	Dwarf_Addr	bias;
	size_t		nr;
	struct span	*spans;
};

/*
 * units_find() - the compilation unit that contains @addr
 * @bias: receives the difference between @addr and the address in the unit
 *
 * libdw relies on .debug_aranges, which clang and rustc do not write; and it
 * attributes an address between two ranges to the range before it. Where its answer
 * is missing or wrong, this function searches the ranges of the units themselves.
 *
 * Return: NULL if no unit contains @addr.
 */
Dwarf_Die *units_find(struct units *units, Dwfl_Module *module, Dwarf_Addr addr,
		      Dwarf_Addr *bias);

#endif /* UNITS_H */
