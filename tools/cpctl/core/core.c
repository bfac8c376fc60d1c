// SPDX-License-Identifier: GPL-2.0-only
/* The checkpoints of a process as an ELF core, for debuggers. */
#include <elf.h>
#include <stdlib.h>

#include "core.h"
#include "coreload.h"
#include "corenote.h"
#include "coreout.h"
#include "corewhole.h"

/*
 * struct core - the contents of the file, in this order after the headers
 * @notes: the notes
 * @notes_size: the length of @notes
 * @loads: the memory
 * @tail: whether a note about the end of the memory follows
 */
struct core {
	char			*notes;
	size_t			notes_size;
	struct coreloads	loads;
	bool			tail;
};

/* The number of program headers. */
static size_t headers_of(const struct core *core)
{
	return core->loads.nr + (core->tail ? 2 : 1);
}

/*
 * More program headers than the ELF header can count are counted in a section header, which
 * then follows the ELF header.
 */
static bool is_extended(const struct core *core)
{
	return headers_of(core) >= PN_XNUM;
}

static uint64_t headers_offset(const struct core *core)
{
	return sizeof(Elf64_Ehdr) + (is_extended(core) ? sizeof(Elf64_Shdr) : 0);
}

static uint64_t notes_offset(const struct core *core)
{
	return headers_offset(core) + headers_of(core) * sizeof(Elf64_Phdr);
}

/* The offset in the file of what comes after @offset: that of the next page. */
static uint64_t page_after(uint64_t offset)
{
	return offset + -offset % PAGE_BYTES;
}

static int write_header(struct coreout *out, const struct core *core)
{
	const bool extended = is_extended(core);
	const Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = headers_offset(core),
		.e_shoff = extended ? sizeof(header) : 0,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = extended ? PN_XNUM : (Elf64_Half)headers_of(core),
		.e_shentsize = extended ? sizeof(Elf64_Shdr) : 0,
		.e_shnum = extended,
	};
	const Elf64_Shdr section = {
		.sh_size = 1,
		.sh_info = (Elf64_Word)headers_of(core),
	};

	if (coreout_write(out, &header, sizeof(header)))
		return -1;
	return extended ? coreout_write(out, &section, sizeof(section)) : 0;
}

static int write_note_header(struct coreout *out, uint64_t offset, size_t size)
{
	const Elf64_Phdr program = {
		.p_type = PT_NOTE,
		.p_offset = offset,
		.p_filesz = size,
		.p_align = 4,
	};

	return coreout_write(out, &program, sizeof(program));
}

/*
 * Writes the program headers. Each load begins at a page of the file, as usual. A segment of a
 * checkpoint may end within a page; the rest of that page of the file is zeroes, for tools that
 * round to pages.
 */
static int write_headers(struct coreout *out, const struct core *core)
{
	uint64_t offset = page_after(notes_offset(core) + core->notes_size);
	size_t i;

	if (write_header(out, core) ||
	    write_note_header(out, notes_offset(core), core->notes_size))
		return -1;
	for (i = 0; i < core->loads.nr; i++) {
		const struct coreload *load = &core->loads.load[i];
		const Elf64_Phdr program = {
			.p_type = PT_LOAD,
			.p_flags = load->flags,
			.p_offset = offset,
			.p_vaddr = load->addr,
			.p_filesz = load->stored,
			.p_memsz = load->size,
			.p_align = PAGE_BYTES,
		};

		if (coreout_write(out, &program, sizeof(program)))
			return -1;
		offset = page_after(offset + load->stored);
	}
	out->total = offset;
	return core->tail ? write_note_header(out, offset, CORENOTE_TAIL_SIZE) : 0;
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

static int write_load(struct coreout *out, const struct corestate *state,
		      const struct coreload *load)
{
	uint64_t addr = load->addr, end = load->addr + load->stored;

	if (state->image)
		return corewhole_write(out, state, load);
	while (addr < end) {
		size_t part = end - addr;
		const unsigned char *bytes = bytes_at(state, load, addr, &part);

		if (coreout_write(out, bytes, part))
			return -1;
		addr += part;
	}
	return 0;
}

/* What the state says at the end of the file, when all memory has been read. */
static int write_tail(struct coreout *out, const struct corestate *state)
{
	char note[CORENOTE_TAIL_SIZE];

	corenote_tail(note, state->end(state->arg));
	return coreout_write(out, note, sizeof(note));
}

static int write_core(struct coreout *out, const struct corestate *state,
		      const struct core *core)
{
	size_t i;

	if (write_headers(out, core) ||
	    coreout_write(out, core->notes, core->notes_size) ||
	    coreout_page(out))
		return -1;
	for (i = 0; i < core->loads.nr; i++) {
		if (write_load(out, state, &core->loads.load[i]) ||
		    coreout_page(out))
			return -1;
	}
	if (core->tail && write_tail(out, state))
		return -1;
	return coreout_finish(out);
}

static int make_loads(struct coreloads *loads, const struct corestate *state)
{
	return state->image ?
	       corewhole_loads(loads, state->image, state->filter) :
	       coreloads_make(loads, state);
}

int core_write(struct coreout *out, const struct corestate *state,
	       const struct identity *identity)
{
	struct core core = { .tail = state->end };
	int ret = -1;

	if (make_loads(&core.loads, state))
		return -1;
	core.notes = corenote_all(state, identity, &core.loads,
				  &core.notes_size);
	if (core.notes)
		ret = write_core(out, state, &core);
	free(core.notes);
	coreloads_free(&core.loads);
	return ret;
}
