// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a process as an ELF core, for debuggers. */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <unistd.h>

#include "core.h"
#include "coreload.h"
#include "corenote.h"
#include "interrupt.h"

/*
 * struct core - the contents of the file, in this order after the headers
 * @notes: the notes
 * @notes_size: the length of @notes
 * @loads: the memory
 */
struct core {
	char			*notes;
	size_t			notes_size;
	struct coreloads	loads;
};

static uint64_t notes_offset(const struct core *core)
{
	return sizeof(Elf64_Ehdr) + (core->loads.nr + 1) * sizeof(Elf64_Phdr);
}

/*
 * The offset of a load in the file, which is aligned to pages as usual. A segment of
 * the checkpoint may end within a page; the rest of that page of the file is a hole, so
 * that tools that round to pages read zeroes.
 */
static uint64_t load_offset(const struct core *core, size_t which)
{
	uint64_t offset = notes_offset(core) + core->notes_size;
	size_t i;

	offset += -offset % PAGE_BYTES;
	for (i = 0; i < which; i++) {
		offset += core->loads.load[i].size;
		offset += -offset % PAGE_BYTES;
	}
	return offset;
}

static bool set_headers(Elf *elf, const struct core *core)
{
	GElf_Ehdr header = {
		.e_ident[EI_DATA] = ELFDATA2LSB,
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
	};
	GElf_Phdr program = {
		.p_type = PT_NOTE,
		.p_offset = notes_offset(core),
		.p_filesz = core->notes_size,
		.p_align = 4,
	};
	size_t i;

	if (!gelf_newehdr(elf, ELFCLASS64) || !gelf_update_ehdr(elf, &header) ||
	    !gelf_newphdr(elf, core->loads.nr + 1) ||
	    !gelf_update_phdr(elf, 0, &program))
		return false;
	for (i = 0; i < core->loads.nr; i++) {
		const struct coreload *load = &core->loads.load[i];

		program = (GElf_Phdr){
			.p_type = PT_LOAD,
			.p_flags = load->flags,
			.p_offset = load_offset(core, i),
			.p_vaddr = load->addr,
			.p_filesz = load->size,
			.p_memsz = load->size,
			.p_align = PAGE_BYTES,
		};
		if (!gelf_update_phdr(elf, (int)i + 1, &program))
			return false;
	}
	return true;
}

static int write_headers(int fd, const struct core *core)
{
	int error = 0;
	Elf *elf;

	/* A larger number would have to be stored in a section header. */
	if (core->loads.nr + 1 >= PN_XNUM) {
		errno = EFBIG;
		return -1;
	}
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_WRITE, NULL);
	if (!elf) {
		errno = ENOMEM;
		return -1;
	}
	elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT);
	errno = 0;
	if (!set_headers(elf, core) || elf_update(elf, ELF_C_WRITE) < 0)
		error = errno ? errno : ENOMEM;
	elf_end(elf);
	errno = error;
	return error ? -1 : 0;
}

static int write_all(int fd, const void *bytes, size_t size)
{
	const char *next = bytes;

	while (size) {
		ssize_t written;

		if (interrupted()) {
			errno = EINTR;
			return -1;
		}
		written = write(fd, next, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		next += written;
		size -= (size_t)written;
	}
	return 0;
}

/* Returns the bytes at @addr, and the number of those that are contiguous. */
static const unsigned char *bytes_at(const struct corestate *state,
				     const struct coreload *load, uint64_t addr,
				     size_t *len)
{
	static const unsigned char zeroes[PAGE_BYTES];
	const unsigned char *bytes = NULL;
	unsigned int i;

	if (load->later) {
		*len = PAGE_BYTES;
		return pages_find(&state->around->pages, addr);
	}
	for (i = 0; i < state->nr && !bytes; i++)
		bytes = snapshot_run(state->threads[i], addr, len);
	if (!bytes && *len > PAGE_BYTES)
		*len = PAGE_BYTES;
	return bytes ? bytes : zeroes;
}

static int write_load(int fd, const struct corestate *state,
		      const struct coreload *load)
{
	uint64_t addr = load->addr, end = load->addr + load->size;

	while (addr < end) {
		size_t part = end - addr;
		const unsigned char *bytes = bytes_at(state, load, addr, &part);

		if (write_all(fd, bytes, part))
			return -1;
		addr += part;
	}
	return 0;
}

static int write_core(int fd, const struct corestate *state,
		      const struct core *core)
{
	uint64_t offset;
	size_t i;

	if (write_headers(fd, core) ||
	    lseek(fd, (off_t)notes_offset(core), SEEK_SET) < 0 ||
	    write_all(fd, core->notes, core->notes_size))
		return -1;
	for (i = 0; i < core->loads.nr; i++) {
		offset = load_offset(core, i);
		if (lseek(fd, (off_t)offset, SEEK_SET) < 0 ||
		    write_load(fd, state, &core->loads.load[i]))
			return -1;
	}
	return 0;
}

int core_write(int fd, const struct corestate *state,
	       const struct identity *identity)
{
	struct core core;
	int ret = -1;

	if (coreloads_make(&core.loads, state))
		return -1;
	core.notes = corenote_all(state, identity, &core.loads,
				  &core.notes_size);
	if (core.notes)
		ret = write_core(fd, state, &core);
	free(core.notes);
	coreloads_free(&core.loads);
	return ret;
}
