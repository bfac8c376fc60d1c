// SPDX-License-Identifier: GPL-2.0-only
/* Places in source files, as far as there is debug information. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"

static void find_line(Dwfl_Module *module, uint64_t addr, struct place *place)
{
	Dwfl_Line *line = dwfl_module_getsrc(module, addr);

	memset(place, 0, sizeof(*place));
	if (line)
		place->file = dwfl_lineinfo(line, NULL, &place->line, NULL,
					    NULL, NULL);
}

/* Where the function that was inlined as @scope is called. */
static void find_call(Dwarf_Die *unit, Dwarf_Die *scope, struct place *place)
{
	Dwarf_Attribute attribute;
	Dwarf_Word file, line;
	Dwarf_Files *files;

	memset(place, 0, sizeof(*place));
	if (dwarf_formudata(dwarf_attr(scope, DW_AT_call_file, &attribute),
			    &file) ||
	    dwarf_getsrcfiles(unit, &files, NULL))
		return;
	place->file = dwarf_filesrc(files, file, NULL, NULL);
	if (!dwarf_formudata(dwarf_attr(scope, DW_AT_call_line, &attribute),
			     &line))
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

static bool is_function(Dwarf_Die *scope)
{
	return dwarf_tag(scope) == DW_TAG_inlined_subroutine ||
	       dwarf_tag(scope) == DW_TAG_subprogram;
}

/*
 * The scopes around an address, the innermost first, as they lie in the code:
 * those that dwarf_getscopes() gives turn, at the innermost function, to where
 * that was written.
 */
static int get_scopes(Dwarf_Die *unit, Dwarf_Addr addr, Dwarf_Die **scopes)
{
	Dwarf_Die *written = NULL, function;
	int nr = dwarf_getscopes(unit, addr, &written);
	int i;

	*scopes = NULL;
	for (i = 0; i < nr && !is_function(&written[i]); i++)
		;
	if (i < nr)
		function = written[i];
	free(written);
	return i < nr ? dwarf_getscopes_die(&function, scopes) : 0;
}

unsigned int source_places(Dwfl_Module *module, uint64_t addr,
			   struct place *places, unsigned int max)
{
	unsigned int nr = 1;
	Dwarf_Die *unit, *scopes;
	Dwarf_Addr bias;
	int nr_scopes, i;

	find_line(module, addr, &places[0]);
	unit = dwfl_module_addrdie(module, addr, &bias);
	if (!unit)
		return nr;
	nr_scopes = get_scopes(unit, addr - bias, &scopes);
	for (i = 0; i < nr_scopes && nr < max; i++) {
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		places[nr - 1].function = name_of(&scopes[i]);
		find_call(unit, &scopes[i], &places[nr++]);
	}
	free(scopes);
	return nr;
}
