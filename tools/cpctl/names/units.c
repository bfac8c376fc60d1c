// SPDX-License-Identifier: GPL-2.0-only
/* Finding the compilation unit of an address. Runs in the namer. */
#include <elfutils/libdw.h>
#include <stdlib.h>

#include "units.h"

/* struct room - the spans being collected, and the space for them */
struct room {
	struct units	*units;
	size_t		size;
};

static bool add_span(struct room *room, Dwarf_Die *unit, Dwarf_Addr start,
		     Dwarf_Addr end)
{
	struct units *units = room->units;
	struct span *spans = units->spans;

	if (units->nr == room->size) {
		room->size = room->size ? room->size * 2 : 256;
		spans = reallocarray(spans, room->size, sizeof(*spans));
		if (!spans)
			return false;
		units->spans = spans;
	}
	units->spans[units->nr++] = (struct span){ start, end, unit };
	return true;
}

static bool add_unit(struct room *room, Dwarf_Die *unit)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(unit, at, &base, &start, &end)) > 0) {
		if (start < end && !add_span(room, unit, start, end))
			return false;
	}
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct span *one = a, *other = b;

	return (one->start > other->start) - (one->start < other->start);
}

static void read_units(struct units *units, Dwfl_Module *module)
{
	struct room room = { .units = units };
	Dwarf_Die *unit = NULL;

	units->known = true;
	while ((unit = dwfl_module_nextcu(module, unit, &units->bias)) &&
	       add_unit(&room, unit))
		;
	if (units->nr)
		qsort(units->spans, units->nr, sizeof(*units->spans), by_start);
}

/* Returns the unit of the last span that begins at @addr or before and contains it. */
static Dwarf_Die *search(const struct units *units, Dwarf_Addr addr)
{
	size_t low = 0, high = units->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (units->spans[middle].start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low && addr < units->spans[low - 1].end ?
		       units->spans[low - 1].unit : NULL;
}

Dwarf_Die *units_find(struct units *units, Dwfl_Module *module, Dwarf_Addr addr,
		      Dwarf_Addr *bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(module, addr, bias);

	if (unit && dwarf_haspc(unit, addr - *bias) > 0)
		return unit;
	if (!units->known)
		read_units(units, module);
	*bias = units->bias;
	return search(units, addr - units->bias);
}
