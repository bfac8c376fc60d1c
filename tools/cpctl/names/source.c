// SPDX-License-Identifier: GPL-2.0-only
/* Places in source files, from debug information. Runs in the namer. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "source.h"

/* A limit for the nesting of scopes and namespaces. */
#define DEPTH_MAX 512

static void find_line(Dwarf_Die *unit, Dwarf_Addr addr, struct place *place)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, addr);

	/* Line 0: the compiler generated the code without a source line. */
	if (!line || dwarf_lineno(line, &place->line) || place->line <= 0) {
		place->line = 0;
		return;
	}
	place->file = dwarf_linesrc(line, NULL, NULL);
}

/* Finds the place of the call to the function that was inlined as @scope. */
static void find_call(Dwarf_Die *unit, Dwarf_Die *scope, struct place *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file, line;
	Dwarf_Files *files;

	if (dwarf_formudata(dwarf_attr(scope, DW_AT_call_file, &attribute),
			    &file) ||
	    dwarf_getsrcfiles(unit, &files, NULL))
		return;
	place->file = dwarf_filesrc(files, file, NULL, NULL);
	if (!dwarf_formudata(dwarf_attr(scope, DW_AT_call_line, &attribute),
			     &line) && line <= INT_MAX)
		place->line = (int)line;
}

static const char *name_of(Dwarf_Die *scope)
{
	static const unsigned int names[] = {
		DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name,
	};
	Dwarf_Attribute attribute;
	const char *name = NULL;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && !name; i++)
		name = dwarf_formstring(dwarf_attr_integrate(scope, names[i],
							     &attribute));
	return name ? name : "?";
}

/* May the entry contain functions, though it has no addresses of its own? */
static bool holds_functions(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return true;
	default:
		return false;
	}
}

/*
 * struct inlined - the functions inlined at an address, the outermost first
 * @addr: the address
 * @nr: number of @scopes
 * @scopes: the entries of the functions, nested as in the code, not in the source
 */
struct inlined {
	Dwarf_Addr	addr;
	unsigned int	nr;
	Dwarf_Die	scopes[PLACES_MAX];
};

/* Finds the functions at the address below @parent; returns true if one was found. */
static bool find_inlined(Dwarf_Die *parent, struct inlined *inlined,
			 unsigned int depth)
{
	Dwarf_Die die;

	if (!depth || dwarf_child(parent, &die))
		return false;
	do {
		bool here = dwarf_haspc(&die, inlined->addr) > 0;
		int tag = dwarf_tag(&die);

		if (!here && !holds_functions(&die))
			continue;
		/* A nested function is not inlined into the outer one. */
		if (here && tag == DW_TAG_subprogram)
			inlined->nr = 0;
		if (here && tag == DW_TAG_inlined_subroutine &&
		    inlined->nr < PLACES_MAX)
			inlined->scopes[inlined->nr++] = die;
		if (find_inlined(&die, inlined, depth - 1) || here)
			return true;
	} while (!dwarf_siblingof(&die, &die));
	return false;
}

/* The unit with the functions, which is in a separate file for split debug info. */
static Dwarf_Die *functions_of(Dwarf_Die *unit, Dwarf_Die *split)
{
	uint8_t type = 0;

	if (!dwarf_cu_info(unit->cu, NULL, &type, NULL, split, NULL, NULL,
			   NULL) &&
	    type == DW_UT_skeleton && split->addr)
		return split;
	return unit;
}

unsigned int source_places(struct units *units, Dwfl_Module *module,
			   uint64_t addr, struct place *places, unsigned int max)
{
	struct inlined inlined = {};
	Dwarf_Die *unit, split;
	unsigned int nr = 1;
	Dwarf_Addr bias;

	memset(places, 0, max * sizeof(*places));
	unit = units_find(units, module, addr, &bias);
	if (!unit)
		return nr;
	inlined.addr = addr - bias;
	find_line(unit, inlined.addr, &places[0]);
	unit = functions_of(unit, &split);
	find_inlined(unit, &inlined, DEPTH_MAX);
	for (; inlined.nr && nr < max; inlined.nr--) {
		Dwarf_Die *scope = &inlined.scopes[inlined.nr - 1];

		places[nr - 1].function = name_of(scope);
		find_call(unit, scope, &places[nr++]);
	}
	return nr;
}
