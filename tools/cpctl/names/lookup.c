// SPDX-License-Identifier: GPL-2.0-only
/* Symbols of ELF files. Runs in the namer. */
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "callsite.h"
#include "lookup.h"
#include "plainname.h"

bool lookup_symbol(const struct modules *modules, uint64_t addr,
		   struct found_symbol *found)
{
	Dwfl_Module *module = modules_at(modules, addr);
	Dwarf_Addr start;
	const char *name;
	char *bare;
	GElf_Sym sym;

	memset(found, 0, sizeof(*found));
	if (!module)
		return false;
	found->file = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL,
				       NULL, NULL);
	name = dwfl_module_addrinfo(module, addr, &found->offset, &sym, NULL,
				    NULL, NULL);
	/* Drop the version that a dynamic symbol may have after '@'. */
	bare = name ? strndup(name, strcspn(name, "@")) : NULL;
	if (bare && *bare)
		found->name = plainname(bare);
	if (!found->name)
		found->offset = addr - start;
	free(bare);
	return true;
}

/*
 * Returns a pointer to the code at @addr, or NULL. The last two arguments receive the
 * number of bytes of the same segment before and after that address.
 */
static const char *code_at(Dwfl_Module *module, uint64_t addr, size_t *before,
			   size_t *after)
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
		*before = addr - ph.p_vaddr;
		*after = ph.p_filesz - *before;
		/* The headers may claim anything: stay inside the file. */
		addr = *before + ph.p_offset;
		if (addr > size || addr < *before)
			return NULL;
		if (*after > size - addr)
			*after = size - addr;
		return file + addr;
	}
	return NULL;
}

bool lookup_follows_call(const struct modules *modules, uint64_t addr)
{
	Dwfl_Module *module = modules_at(modules, addr - 1);
	size_t before, after;
	const char *code;

	if (!module)
		return false;
	code = code_at(module, addr, &before, &after);
	if (!code)
		return false;
	if (before > CALL_MAX)
		before = CALL_MAX;
	return ends_with_call((const unsigned char *)code - before, before);
}

bool lookup_code(const struct modules *modules, uint64_t addr, void *to,
		 size_t size)
{
	Dwfl_Module *module = modules_at(modules, addr);
	size_t before, after;
	const char *code;

	if (!module)
		return false;
	code = code_at(module, addr, &before, &after);
	if (!code || after < size)
		return false;
	memcpy(to, code, size);
	return true;
}

/* struct wanted - the symbol of lookup_address(), and its address once found */
struct wanted {
	const struct modules	*modules;
	const char		*name;
	GElf_Addr		addr;
};

static int look_in(Dwfl_Module *module, void **userdata, const char *name,
		   Dwarf_Addr start, void *arg)
{
	struct wanted *wanted = arg;
	const char *known;
	GElf_Sym sym;
	int i, nr;

	(void)userdata;
	(void)name;
	(void)start;
	modules_blame(wanted->modules, module);
	nr = dwfl_module_getsymtab(module);
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

uint64_t lookup_address(const struct modules *modules, const char *name)
{
	struct wanted wanted = { .modules = modules, .name = name };

	dwfl_getmodules(modules->dwfl, look_in, &wanted, 0);
	return wanted.addr;
}
