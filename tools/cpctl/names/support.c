// SPDX-License-Identifier: GPL-2.0-only
/* The memory that a debugger needs to find the names of a stack's addresses. */
#include <elf.h>
#include <limits.h>
#include <link.h>

#include "mapping.h"
#include "support.h"

/* A limit, because the slave may have written a list without an end. */
#define LIST_MAX 4096
/* The maximum number of the dynamic linker's namespaces. */
#define LISTS_MAX 16

/* Reads one byte of each page, which adds the page to the surroundings. */
static void touch(const struct memory *memory, uint64_t start, uint64_t end)
{
	char byte;

	while (start < end && memory_read(memory, start, &byte, 1))
		start += PAGE_BYTES;
}

static void read_files(const struct memory *memory)
{
	const char *text = memory->around->maps;
	struct mapping mapping, first = {};

	while (mapping_next(&text, &mapping)) {
		if (!mapping.offset)
			first = mapping;
		if (mapping_is(&mapping, "[vdso]"))
			touch(memory, mapping.start, mapping.end);
		/* Skip files without code, which need not be ELF files. */
		else if (mapping.exec && mapping_is_file(&mapping) &&
			 mapping_same_path(&mapping, &first))
			touch(memory, first.start, first.start + PAGE_BYTES);
	}
}

/* The address of the dynamic linker's struct r_debug, from DT_DEBUG; or 0. */
static uint64_t find_debug(const struct memory *memory, uint64_t dynamic)
{
	Elf64_Dyn entry;
	unsigned int i;

	for (i = 0; i < LIST_MAX; i++, dynamic += sizeof(entry)) {
		if (!memory_read(memory, dynamic, &entry, sizeof(entry)) ||
		    entry.d_tag == DT_NULL)
			return 0;
		if (entry.d_tag == DT_DEBUG)
			return entry.d_un.d_ptr;
	}
	return 0;
}

/* The address of the program's dynamic section; 0 for a static program. */
static uint64_t find_dynamic(const struct memory *memory,
			     const struct identity *identity)
{
	uint64_t headers = identity_auxv(identity, AT_PHDR);
	uint64_t nr = identity_auxv(identity, AT_PHNUM);
	uint64_t bias = 0, dynamic = 0, i;
	Elf64_Phdr header;

	if (identity_compat(identity))
		return 0;
	for (i = 0; i < nr && i < PN_XNUM; i++) {
		if (!memory_read(memory, headers + i * sizeof(header), &header,
				 sizeof(header)))
			return 0;
		if (header.p_type == PT_PHDR)
			bias = headers - header.p_vaddr;
		if (header.p_type == PT_DYNAMIC)
			dynamic = header.p_vaddr;
	}
	return dynamic ? dynamic + bias : 0;
}

static void read_name(const struct memory *memory, uint64_t addr)
{
	unsigned int i;
	char byte = 1;

	for (i = 0; i < PATH_MAX && byte; i++) {
		if (!memory_read(memory, addr + i, &byte, 1))
			return;
	}
}

static void read_list(const struct memory *memory, uint64_t node)
{
	struct link_map map;
	unsigned int i;

	for (i = 0; node && i < LIST_MAX; i++) {
		if (!memory_read(memory, node, &map, sizeof(map)))
			return;
		read_name(memory, (uintptr_t)map.l_name);
		node = (uintptr_t)map.l_next;
	}
}

/* Since version 2 of r_debug there is a list for each namespace. */
static void read_lists(const struct memory *memory, uint64_t debug)
{
	struct {
		struct r_debug	base;
		uint64_t	next;
	} lists;
	unsigned int i;

	for (i = 0; debug && i < LISTS_MAX; i++) {
		if (!memory_read(memory, debug, &lists.base,
				 sizeof(lists.base)))
			return;
		read_list(memory, (uintptr_t)lists.base.r_map);
		if (lists.base.r_version < 2 ||
		    !memory_read(memory, debug, &lists, sizeof(lists)))
			return;
		debug = lists.next;
	}
}

void support_read(const struct memory *memory, const struct identity *identity,
		  struct symbols *symbols)
{
	uint64_t dynamic = find_dynamic(memory, identity);
	uint64_t debug;

	read_files(memory);
	/* gdb reads _r_debug of a static program, too. */
	debug = dynamic ? find_debug(memory, dynamic) :
			  symbols_address(symbols, "_r_debug");
	read_lists(memory, debug);
}
