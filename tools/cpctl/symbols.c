// SPDX-License-Identifier: GPL-2.0-only
/* The names of a process's code addresses, from its ELF files. */
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildid.h"
#include "callsite.h"
#include "mapping.h"
#include "message.h"
#include "symbols.h"

#define VDSO "[vdso]"

/*
 * struct symbols - the modules of a process
 * @around: the process
 * @code: the lines of executable mappings when the modules were last reported,
 *	NULL before
 * @vdso: a copy of the vDSO, which is no file, once it was asked for
 * @dwfl: the modules
 * @name: the name of the symbol found last
 */
struct symbols {
	struct surroundings	*around;
	char			*code;
	char			*vdso;
	Dwfl			*dwfl;
	char			name[256];
};

static void find_vdso(struct symbols *symbols, Elf **elf)
{
	const char *text = symbols->around->maps;
	struct mapping mapping;
	size_t size;

	while (mapping_next(&text, &mapping)) {
		if (!mapping_is(&mapping, VDSO))
			continue;
		size = mapping.end - mapping.start;
		free(symbols->vdso);
		symbols->vdso = malloc(size);
		if (symbols->vdso &&
		    surroundings_read(symbols->around, mapping.start,
				      symbols->vdso, size))
			*elf = elf_memory(symbols->vdso, size);
		return;
	}
}

static int find_elf(Dwfl_Module *module, void **userdata, const char *name,
		    Dwarf_Addr base, char **file_name, Elf **elf)
{
	struct symbols *symbols = *userdata;
	const unsigned char *page;
	int fd;

	(void)module;
	if (name[0] != '/') {
		find_vdso(symbols, elf);
		return -1;
	}
	fd = surroundings_elf(symbols->around, name, base);
	page = surroundings_page(symbols->around, base);
	if (fd >= 0 && buildid_differs(fd, page)) {
		close(fd);
		if (!symbols->around->pid)
			warnx("%s is another one now: no names from it", name);
		return -1;
	}
	if (fd >= 0)
		*file_name = strdup(name);
	return fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

struct symbols *symbols_open(struct surroundings *around)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		return NULL;
	symbols->around = around;
	symbols->dwfl = dwfl_begin(&callbacks);
	if (!symbols->dwfl) {
		symbols_close(symbols);
		errno = ENOMEM;
		return NULL;
	}
	return symbols;
}

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	if (symbols->dwfl)
		dwfl_end(symbols->dwfl);
	free(symbols->vdso);
	free(symbols->code);
	free(symbols);
}

Dwfl *symbols_dwfl(const struct symbols *symbols)
{
	return symbols->dwfl;
}

/* The lines of executable mappings; NULL when there are none. */
static char *code_lines(const char *maps)
{
	struct mapping mapping;
	const char *line = maps;
	size_t size = 0;
	char *code = NULL;
	FILE *lines = open_memstream(&code, &size);

	if (!lines)
		return NULL;
	for (; mapping_next(&maps, &mapping); line = maps) {
		if (mapping.exec)
			fwrite(line, 1, (size_t)(maps - line), lines);
	}
	fclose(lines);
	if (!size) {
		free(code);
		code = NULL;
	}
	return code;
}

static void report(struct symbols *symbols)
{
	const char *text = symbols->around->maps;
	FILE *maps = fmemopen((char *)text, strlen(text), "r");
	struct mapping mapping;

	if (maps) {
		dwfl_linux_proc_maps_report(symbols->dwfl, maps);
		fclose(maps);
	}
	while (mapping_next(&text, &mapping)) {
		if (mapping_is(&mapping, VDSO))
			dwfl_report_module(symbols->dwfl, VDSO, mapping.start,
					   mapping.end);
	}
}

static int give_userdata(Dwfl_Module *module, void **userdata,
			 const char *name, Dwarf_Addr start, void *symbols)
{
	(void)module;
	(void)name;
	(void)start;
	*userdata = symbols;
	return DWARF_CB_OK;
}

void symbols_refresh(struct symbols *symbols)
{
	char *code = code_lines(symbols->around->maps);

	/* The same, nearly always: nothing to do. */
	if (!code || (symbols->code && !strcmp(code, symbols->code))) {
		free(code);
		return;
	}
	/* Modules that are still where they were keep what was read of them. */
	dwfl_report_begin(symbols->dwfl);
	report(symbols);
	dwfl_report_end(symbols->dwfl, NULL, NULL);
	dwfl_getmodules(symbols->dwfl, give_userdata, symbols, 0);
	free(symbols->code);
	symbols->code = code;
}

static const char *short_name(const char *module)
{
	const char *slash = strrchr(module, '/');

	return slash ? slash + 1 : module;
}

bool symbols_find(struct symbols *symbols, uint64_t addr,
		  struct symbol *symbol)
{
	Dwfl_Module *module = dwfl_addrmodule(symbols->dwfl, addr);
	Dwarf_Addr start;
	const char *name;
	GElf_Sym sym;

	if (!module)
		return false;
	name = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL,
				NULL);
	symbol->module = short_name(name);
	name = dwfl_module_addrinfo(module, addr, &symbol->offset, &sym, NULL,
				    NULL, NULL);
	if (name) {
		/* Without the version that a dynamic symbol may carry. */
		snprintf(symbols->name, sizeof(symbols->name), "%.*s",
			 (int)strcspn(name, "@"), name);
		symbol->name = symbols->name;
	} else {
		symbol->name = NULL;
		symbol->offset = addr - start;
	}
	return true;
}

/* The code right before @addr, as it is in the file; NULL when it is none. */
static const char *code_before(Dwfl_Module *module, uint64_t addr, size_t *len)
{
	size_t nr_headers, size, i;
	const char *file;
	GElf_Addr bias;
	GElf_Phdr ph;
	Elf *elf;

	elf = dwfl_module_getelf(module, &bias);
	if (!elf || elf_getphdrnum(elf, &nr_headers))
		return NULL;
	file = elf_rawfile(elf, &size);
	if (!file)
		return NULL;
	addr -= bias;
	for (i = 0; i < nr_headers; i++) {
		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
		    !(ph.p_flags & PF_X) || addr < ph.p_vaddr ||
		    addr - ph.p_vaddr > ph.p_filesz)
			continue;
		*len = addr - ph.p_vaddr;
		if (*len > CALL_MAX)
			*len = CALL_MAX;
		/* Whatever the headers claim, stay inside the file. */
		addr = addr - ph.p_vaddr + ph.p_offset;
		return addr < *len || addr > size ? NULL : file + addr - *len;
	}
	return NULL;
}

bool symbols_find_return(struct symbols *symbols, uint64_t addr,
			 struct symbol *symbol)
{
	Dwfl_Module *module = dwfl_addrmodule(symbols->dwfl, addr);
	const char *code;
	size_t len;

	if (!module)
		return false;
	code = code_before(module, addr, &len);
	if (!code || !ends_with_call((const unsigned char *)code, len))
		return false;
	/*
	 * A call that never returns may be the last of its function: the
	 * address behind it is then another function's first.
	 */
	if (!symbols_find(symbols, addr - 1, symbol))
		return false;
	symbol->offset++;
	return true;
}

/* struct wanted - what symbols_address() looks for, and has found */
struct wanted {
	const char	*name;
	GElf_Addr	addr;
};

static int look_in(Dwfl_Module *module, void **userdata, const char *name,
		   Dwarf_Addr start, void *arg)
{
	int i, nr = dwfl_module_getsymtab(module);
	struct wanted *wanted = arg;
	const char *known;
	GElf_Sym sym;

	(void)userdata;
	(void)name;
	(void)start;
	for (i = 0; i < nr; i++) {
		known = dwfl_module_getsym_info(module, i, &sym, &wanted->addr,
						NULL, NULL, NULL);
		if (known && sym.st_shndx != SHN_UNDEF &&
		    !strcmp(known, wanted->name))
			return DWARF_CB_ABORT;
	}
	wanted->addr = 0;
	return DWARF_CB_OK;
}

uint64_t symbols_address(const struct symbols *symbols, const char *name)
{
	struct wanted wanted = { .name = name };

	dwfl_getmodules(symbols->dwfl, look_in, &wanted, 0);
	return wanted.addr;
}
