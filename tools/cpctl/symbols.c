// SPDX-License-Identifier: GPL-2.0-only
/* The names of a process's code addresses, from its ELF files. */
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "callsite.h"
#include "symbols.h"

/*
 * struct symbols - a process and its modules
 * @pid: the process
 * @root: its root directory: paths of its files mean what they mean to it,
 *	also when it lives in a container, and also after its end
 * @code: the lines of executable mappings in /proc/PID/maps when the modules
 *	were last reported, NULL before
 * @dwfl: the modules
 * @name: the name of the symbol found last
 */
struct symbols {
	pid_t	pid;
	int	root;
	char	*code;
	Dwfl	*dwfl;
	char	name[256];
};

static int find_elf(Dwfl_Module *module, void **userdata, const char *name,
		    Dwarf_Addr base, char **file_name, Elf **elf)
{
	const struct symbols *symbols = *userdata;
	struct stat st;
	int fd;

	/* The vDSO is no file; libdwfl reads it from the process. */
	if (name[0] != '/')
		return dwfl_linux_proc_find_elf(module, userdata, name, base,
						file_name, elf);
	/* The mapped "file" may be a device or a pipe that must not be read. */
	fd = openat(symbols->root, name + 1,
		    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -1;
	}
	*file_name = strdup(name);
	return fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

struct symbols *symbols_open(pid_t pid)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));
	char path[32];

	if (!symbols)
		return NULL;
	symbols->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	symbols->root = open(path, O_PATH | O_CLOEXEC);
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
	if (symbols->root >= 0)
		close(symbols->root);
	free(symbols->code);
	free(symbols);
}

/* The lines of executable mappings; NULL when there are none to be read. */
static char *read_code_lines(pid_t pid)
{
	char path[32], *line = NULL, *code = NULL;
	size_t line_size = 0, size = 0;
	char mode[5];
	FILE *maps, *lines;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return NULL;
	lines = open_memstream(&code, &size);
	while (lines && getline(&line, &line_size, maps) > 0) {
		if (sscanf(line, "%*x-%*x %4s", mode) == 1 && mode[2] == 'x')
			fputs(line, lines);
	}
	if (lines)
		fclose(lines);
	free(line);
	fclose(maps);
	if (!size) {
		free(code);
		code = NULL;
	}
	return code;
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
	char *code = read_code_lines(symbols->pid);

	/* Nothing: it is ending. The same, nearly always: nothing to do. */
	if (!code || (symbols->code && !strcmp(code, symbols->code))) {
		free(code);
		return;
	}
	/* Modules that are still where they were keep what was read of them. */
	dwfl_report_begin(symbols->dwfl);
	dwfl_linux_proc_report(symbols->dwfl, symbols->pid);
	dwfl_report_end(symbols->dwfl, NULL, NULL);
	dwfl_getmodules(symbols->dwfl, give_userdata, symbols, 0);
	free(symbols->code);
	symbols->code = code;
}

static const char *short_name(const char *module)
{
	const char *slash = strrchr(module, '/');

	/* libdwfl's name for it has the process id in it. */
	if (!strncmp(module, "[vdso", strlen("[vdso")))
		return "[vdso]";
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
