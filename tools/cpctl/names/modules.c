// SPDX-License-Identifier: GPL-2.0-only
/* The ELF files that a process has mapped, as modules of libdwfl. Runs in the namer. */
#include <elf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "buildid.h"
#include "confine.h"
#include "debugfile.h"
#include "inflated.h"
#include "mapping.h"
#include "modules.h"
#include "pages.h"
#include "safeopen.h"

#define VDSO "[vdso]"

/*
 * struct about - the data of a module that libdwfl does not have
 * @of: the modules of the process
 * @reading: how much of the module may be read
 * @units: the compilation units of the module
 *
 * libdwfl does not notify its caller when it frees a module: these structs are not
 * freed before the namer ends.
 */
struct about {
	const struct modules	*of;
	enum reading		reading;
	struct units		units;
};

static struct about *about(Dwfl_Module *module)
{
	void **userdata;

	dwfl_module_info(module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	return *userdata;
}

/* Copies the vDSO, which is not a file. libelf uses the copy until the namer ends. */
static void find_vdso(const struct modules *modules, Elf **elf)
{
	const char *text = modules->maps;
	struct mapping mapping;
	size_t size;
	char *copy;

	while (mapping_next(&text, &mapping)) {
		if (!mapping_is(&mapping, VDSO))
			continue;
		size = mapping.end - mapping.start;
		copy = malloc(size);
		if (copy && ask_all_memory(mapping.start, copy, size))
			*elf = elf_memory(copy, size);
		else
			free(copy);
		return;
	}
}

/* Refuses compressed files, which libdwfl would decompress: no process maps those. */
static bool is_elf(int fd)
{
	char magic[SELFMAG];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, ELFMAG, SELFMAG);
}

/* A newline in @name may be four characters in the real path: see mapping_path(). */
static int open_named(const char *name)
{
	int fd = safeopen(CONFINE_ROOT, name);
	char *other;

	if (fd >= 0 || !strchr(name, '\n'))
		return fd;
	other = mapping_escaped(name);
	fd = other ? safeopen(CONFINE_ROOT, other) : -1;
	free(other);
	return fd;
}

/* Opens the file that is mapped at @base. ask_mapped() fails without a privilege. */
static int open_mapped(const char *name, uint64_t base)
{
	unsigned char page[PAGE_BYTES];
	int fd = ask_mapped(base);

	if (fd < 0)
		fd = open_named(name);
	if (fd < 0)
		return -1;
	if (!is_elf(fd))
		goto err_close;
	if (buildid_differs(fd, ask_all_memory(base, page, sizeof(page)) ?
					page : NULL)) {
		ask_to_warn(name);
		goto err_close;
	}
	return fd;

err_close:
	close(fd);
	return -1;
}

static int find_elf(Dwfl_Module *module, void **userdata, const char *name,
		    Dwarf_Addr base, char **file_name, Elf **elf)
{
	struct about *known = *userdata;
	int fd;

	(void)module;
	if (!known || known->reading == READ_NOTHING)
		return -1;
	if (name[0] != '/') {
		find_vdso(known->of, elf);
		return -1;
	}
	fd = open_mapped(name, base);
	if (fd < 0)
		return -1;
	if (inflated_size(fd) > INFLATED_MAX)
		known->reading = READ_SYMBOLS;
	*file_name = strdup(name);
	return fd;
}

static int find_debuginfo(Dwfl_Module *module, void **userdata,
			  const char *name, Dwarf_Addr base, const char *file,
			  const char *link, GElf_Word crc, char **debug_name)
{
	const struct about *known = *userdata;

	(void)name;
	(void)base;
	if (!known || known->reading != READ_ALL || !file)
		return -1;
	return debugfile_find(module, file, link, crc, debug_name);
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
};

bool modules_open(struct modules *modules, const struct terms *terms)
{
	memset(modules, 0, sizeof(*modules));
	modules->terms = terms;
	modules->dwfl = dwfl_begin(&callbacks);
	return modules->dwfl;
}

/*
 * struct found - the mappings of one file, which become a module
 * @path: the path of the file, as in struct mapping; NULL without a file
 * @path_len: the length of @path
 * @start: the first address
 * @end: the address after the last
 * @exec: whether one of the mappings is executable
 */
struct found {
	const char	*path;
	size_t		path_len;
	uint64_t	start;
	uint64_t	end;
	bool		exec;
};

static void report_found(struct modules *modules, struct found *found)
{
	char *name = found->exec ? mapping_path(found->path, found->path_len) : NULL;

	/* One call per module: libdwfl may refuse one without losing the others. */
	if (name)
		dwfl_report_module(modules->dwfl, name, found->start,
				   found->end);
	free(name);
	found->path = NULL;
	found->exec = false;
}

/* Does the mapping belong to the same file as the mappings before it? */
static bool continues(const struct found *found, const struct mapping *mapping)
{
	return found->path && mapping->offset &&
	       found->path_len == mapping->path_len &&
	       !memcmp(found->path, mapping->path, found->path_len);
}

static void report(struct modules *modules)
{
	const char *text = modules->maps;
	struct found found = {};
	struct mapping mapping;

	while (mapping_next(&text, &mapping)) {
		/* Anonymous memory may lie between two mappings of a file. */
		if (!mapping.path_len)
			continue;
		if (!continues(&found, &mapping)) {
			report_found(modules, &found);
			if (!mapping_is_file(&mapping) &&
			    !mapping_is(&mapping, VDSO))
				continue;
			found.path = mapping.path;
			found.path_len = mapping.path_len;
			found.start = mapping.start;
		}
		found.end = mapping.end;
		found.exec |= mapping.exec;
	}
	report_found(modules, &found);
}

static int give_userdata(Dwfl_Module *module, void **userdata,
			 const char *name, Dwarf_Addr start, void *arg)
{
	const struct modules *modules = arg;
	struct about *new;

	(void)module;
	(void)name;
	if (*userdata)
		return DWARF_CB_OK;
	new = calloc(1, sizeof(*new));
	if (new) {
		new->of = modules;
		new->reading = terms_of(modules->terms, start);
	}
	*userdata = new;
	return DWARF_CB_OK;
}

void modules_report(struct modules *modules, char *maps)
{
	free(modules->maps);
	modules->maps = maps;
	/* libdwfl keeps the data of a module that is reported again at its address. */
	dwfl_report_begin(modules->dwfl);
	report(modules);
	dwfl_report_end(modules->dwfl, NULL, NULL);
	dwfl_getmodules(modules->dwfl, give_userdata, modules, 0);
}

void modules_blame(const struct modules *modules, Dwfl_Module *module)
{
	Dwarf_Addr start = 0;

	if (module)
		dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL,
				 NULL);
	*modules->terms->blame = start;
}

Dwfl_Module *modules_at(const struct modules *modules, uint64_t addr)
{
	Dwfl_Module *module = dwfl_addrmodule(modules->dwfl, addr);
	Dwarf_Addr start, end;

	/* libdwfl attributes all addresses after the last module to that module. */
	if (module) {
		dwfl_module_info(module, NULL, &start, &end, NULL, NULL, NULL,
				 NULL);
		if (addr < start || addr >= end)
			module = NULL;
	}
	modules_blame(modules, module);
	return module;
}

enum reading modules_reading(Dwfl_Module *module)
{
	const struct about *known;
	Dwarf_Addr bias;

	/* find_elf(), called by this, may reduce the limit of the file. */
	dwfl_module_getelf(module, &bias);
	known = about(module);
	return known ? known->reading : READ_NOTHING;
}

struct units *modules_units(Dwfl_Module *module)
{
	struct about *known = about(module);

	return known ? &known->units : NULL;
}

bool modules_is_code(const struct modules *modules, uint64_t addr)
{
	const char *text = modules->maps;
	struct mapping mapping;

	while (mapping_next(&text, &mapping)) {
		if (mapping.exec && addr >= mapping.start && addr < mapping.end)
			return true;
	}
	return false;
}
