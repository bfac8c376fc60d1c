// SPDX-License-Identifier: GPL-2.0-only
/* Which functions called which, up to a checkpoint. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unwind.h"

/* More functions than that are not inlined into each other. */
#define PLACES_MAX 64

/* Frames that need no stack of the checkpoint: of the one that was left. */
#define FRAMES_SPARE 65536

/* Registers that unwinding needs, the instruction pointer being the last. */
#define NATIVE_REGS 17
#define COMPAT_REGS 9

/*
 * struct unwinder - for one process
 * @symbols: of the process
 * @compat: it runs 32-bit code
 * @header: an ELF header that tells libdw which machine this is
 * @elf: the same as a file
 * @memory: the checkpoint that is being unwound
 * @regs: with which libdw begins, in the order in which DWARF numbers them
 * @again: libdw is to begin anew, with other @regs
 * @missing: an address that could not be read on the way from the last frame
 *	to the next; 0 for none
 * @frame: is told each frame
 * @arg: for @frame
 * @left: so many frames may follow; more are going round in circles
 * @why: why there are no more, when that is known already
 */
struct unwinder {
	struct symbols		*symbols;
	bool			compat;
	union {
		Elf64_Ehdr	native;
		Elf32_Ehdr	compat;
	} header;
	Elf			*elf;
	const struct memory	*memory;
	Dwarf_Word		regs[NATIVE_REGS];
	bool			again;
	uint64_t		missing;
	unwind_frame_fn		frame;
	void			*arg;
	uint64_t		left;
	char			*why;
};

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	/* There is one, and it has this number. */
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return 1;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *word, void *arg)
{
	struct unwinder *unwinder = arg;

	(void)dwfl;
	*word = 0;
	if (memory_read(unwinder->memory, addr, word, unwinder->compat ? 4 : 8))
		return true;
	unwinder->missing = addr;
	return false;
}

static unsigned int count_regs(const struct unwinder *unwinder)
{
	return unwinder->compat ? COMPAT_REGS : NATIVE_REGS;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct unwinder *unwinder = arg;

	return dwfl_thread_state_registers(thread, 0, count_regs(unwinder),
					   unwinder->regs);
}

/* Begin at the checkpoint. */
static void begin(struct unwinder *unwinder)
{
	const struct cp_regs *r = &unwinder->memory->snapshot->head.regs;
	const Dwarf_Word native[NATIVE_REGS] = {
		r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8,	r->r9,	r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
		r->rip,
	};
	const Dwarf_Word compat[COMPAT_REGS] = {
		r->rax, r->rcx, r->rdx, r->rbx, r->rsp,
		r->rbp, r->rsi, r->rdi, r->rip,
	};

	memcpy(unwinder->regs, unwinder->compat ? compat : native,
	       count_regs(unwinder) * sizeof(*unwinder->regs));
}

/* Begin anew at a frame, as if it were that of the checkpoint. */
static void begin_again(struct unwinder *unwinder, Dwfl_Frame *state,
			Dwarf_Addr pc)
{
	unsigned int last = count_regs(unwinder) - 1, i;

	for (i = 0; i < last; i++)
		if (dwfl_frame_reg(state, i, &unwinder->regs[i]))
			unwinder->regs[i] = 0;
	unwinder->regs[last] = pc;
	unwinder->again = true;
}

static const Dwfl_Thread_Callbacks callbacks = {
	.next_thread = next_thread,
	.memory_read = read_word,
	.set_initial_registers = set_registers,
};

static Elf *make_elf(struct unwinder *unwinder)
{
	unsigned char *ident = unwinder->header.native.e_ident;

	memcpy(ident, ELFMAG, SELFMAG);
	ident[EI_CLASS] = unwinder->compat ? ELFCLASS32 : ELFCLASS64;
	ident[EI_DATA] = ELFDATA2LSB;
	ident[EI_VERSION] = EV_CURRENT;
	unwinder->header.native.e_type = ET_CORE;
	unwinder->header.native.e_machine =
		unwinder->compat ? EM_386 : EM_X86_64;
	unwinder->header.native.e_version = EV_CURRENT;
	if (unwinder->compat)
		unwinder->header.compat.e_ehsize = sizeof(Elf32_Ehdr);
	else
		unwinder->header.native.e_ehsize = sizeof(Elf64_Ehdr);
	elf_version(EV_CURRENT);
	return elf_memory((char *)&unwinder->header, sizeof(unwinder->header));
}

struct unwinder *unwind_open(struct symbols *symbols, bool compat)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder)
		return NULL;
	unwinder->symbols = symbols;
	unwinder->compat = compat;
	unwinder->elf = make_elf(unwinder);
	/* Else libdw looks into a module, and some processes have none. */
	if (!unwinder->elf ||
	    !dwfl_attach_state(symbols_dwfl(symbols), unwinder->elf, 1,
			       &callbacks, unwinder)) {
		unwind_close(unwinder);
		errno = ENOMEM;
		return NULL;
	}
	return unwinder;
}

void unwind_close(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	elf_end(unwinder->elf);
	free(unwinder);
}

/* How to go on from here; NULL when that is not known. */
static Dwarf_Frame *find_rules(Dwfl_Module *module, uint64_t addr)
{
	Dwarf_Frame *rules = NULL;
	Dwarf_Addr bias;
	Dwarf_CFI *cfi;

	cfi = dwfl_module_eh_cfi(module, &bias);
	if (cfi && !dwarf_cfi_addrframe(cfi, addr - bias, &rules))
		return rules;
	cfi = dwfl_module_dwarf_cfi(module, &bias);
	if (cfi && !dwarf_cfi_addrframe(cfi, addr - bias, &rules))
		return rules;
	return NULL;
}

/*
 * Is it known how to go on from here? Without that, libdw takes the frame
 * pointer's register for one, which in most programs it is not.
 */
static bool is_described(Dwfl_Module *module, uint64_t addr)
{
	Dwarf_Frame *rules = module ? find_rules(module, addr) : NULL;
	bool known = rules;

	free(rules);
	return known;
}

/*
 * Does a signal handler return to here? Nothing was called from the instruction
 * before, which is where libdw looks; and in the 32-bit vDSO of newer kernels
 * nothing is said of that one.
 */
static bool ends_handler(Dwfl_Module *module, uint64_t pc)
{
	Dwarf_Frame *rules = module ? find_rules(module, pc) : NULL;
	bool signal = false;

	if (rules)
		dwarf_frame_info(rules, NULL, NULL, &signal);
	free(rules);
	return signal;
}

/* Tells the frame of a function, and those of what was inlined into it. */
static void tell(struct unwinder *unwinder, Dwfl_Module *module, uint64_t pc,
		 uint64_t addr)
{
	struct place places[PLACES_MAX] = {};
	struct frame frame = { .pc = pc };
	unsigned int nr = 1, i;

	if (module)
		nr = source_places(module, addr, places, PLACES_MAX);
	frame.known = symbols_find(unwinder->symbols, addr, &frame.symbol);
	frame.symbol.offset += pc - addr;
	for (i = 0; i < nr; i++) {
		frame.place = places[i];
		unwinder->frame(unwinder->arg, &frame);
	}
}

static int on_frame(Dwfl_Frame *state, void *arg)
{
	struct unwinder *unwinder = arg;
	Dwfl_Module *module;
	bool is_activation;
	Dwarf_Addr pc, addr;

	/* From here on libdw goes to the next frame. */
	unwinder->missing = 0;
	if (!dwfl_frame_pc(state, &pc, &is_activation))
		return DWARF_CB_ABORT;
	/* A return address may lie behind its function, or in the next line. */
	addr = is_activation ? pc : pc - 1;
	module = dwfl_addrmodule(symbols_dwfl(unwinder->symbols), addr);
	if (!is_described(module, addr) && ends_handler(module, pc)) {
		begin_again(unwinder, state, pc);
		return DWARF_CB_ABORT;
	}
	tell(unwinder, module, pc, addr);
	if (!is_described(module, addr)) {
		snprintf(unwinder->why, UNWIND_WHY_SIZE,
			 "there is no unwind information for 0x%" PRIx64, pc);
		return DWARF_CB_ABORT;
	}
	if (!unwinder->left--) {
		snprintf(unwinder->why, UNWIND_WHY_SIZE,
			 "there are more frames than the stack can hold");
		return DWARF_CB_ABORT;
	}
	return DWARF_CB_OK;
}

/* Why libdw has stopped, when on_frame() has not. */
static void explain(struct unwinder *unwinder)
{
	const struct snapshot *snapshot = unwinder->memory->snapshot;
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments && unwinder->missing; i++) {
		const struct cp_segment *info = &snapshot->segments[i].info;

		if (!(info->flags & (CP_SEGF_TRUNCATED | CP_SEGF_NOMEM)) ||
		    unwinder->missing - info->map_start >=
			    info->map_end - info->map_start)
			continue;
		snprintf(unwinder->why, UNWIND_WHY_SIZE,
			 "the stack was cut off at 0x%" PRIx64 ": see --stack-limit",
			 (uint64_t)(info->addr + info->size));
		return;
	}
	if (unwinder->missing)
		snprintf(unwinder->why, UNWIND_WHY_SIZE,
			 "memory at 0x%" PRIx64 " cannot be read",
			 unwinder->missing);
	else
		snprintf(unwinder->why, UNWIND_WHY_SIZE, "libdw: %s",
			 dwfl_errmsg(-1));
}

static uint64_t frames_max(const struct snapshot *snapshot)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < snapshot->nr_segments; i++)
		bytes += snapshot->segments[i].info.size;
	return bytes / snapshot_word(snapshot) + FRAMES_SPARE;
}

bool unwind(struct unwinder *unwinder, const struct memory *memory,
	    unwind_frame_fn frame, void *arg, char why[UNWIND_WHY_SIZE])
{
	const struct cp_checkpoint *cp = &memory->snapshot->head;
	int ret = -1;

	unwinder->memory = memory;
	unwinder->missing = 0;
	unwinder->frame = frame;
	unwinder->arg = arg;
	unwinder->left = frames_max(memory->snapshot);
	unwinder->why = why;
	why[0] = '\0';
	if (!!(cp->flags & CP_CHECKPOINT_COMPAT) != unwinder->compat) {
		snprintf(why, UNWIND_WHY_SIZE,
			 "the process has gone from 64-bit to 32-bit code or back");
		return false;
	}
	begin(unwinder);
	do {
		unwinder->again = false;
		ret = dwfl_getthread_frames(symbols_dwfl(unwinder->symbols), 1,
					    on_frame, unwinder);
	} while (unwinder->again);
	/* To libdw, a return address that cannot be read is the end, too. */
	if (!ret && !unwinder->missing)
		return true;
	if (!why[0])
		explain(unwinder);
	return false;
}
