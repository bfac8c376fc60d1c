// SPDX-License-Identifier: GPL-2.0-only
/* Finding the calls on a stack by unwind information. Runs in the namer. */
#include <elfutils/libdw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "lookup.h"
#include "trampoline.h"
#include "walk.h"

/* Bytes to read at a time: the size of most frames is less. */
#define CHUNK 4096

/*
 * struct walk - a walk
 * @modules: the modules of the process
 * @start: the registers with which libdw begins
 * @header: an ELF header by which libdw recognizes the machine
 * @elf: libelf's handle of @header
 * @chunk: the memory that was read last
 * @chunk_addr: the address of @chunk
 * @chunk_size: the number of bytes in @chunk
 * @again: whether libdw shall begin again, with another @start
 * @returned: whether @start is inside the call instruction, one byte before the
 *	return address
 * @missing: an address that could not be read since the last frame; 0 for none
 * @frame: the function to call for each frame
 * @left: the number of frames that may follow
 * @why: the reason of the end, or "" while it is not known
 */
struct walk {
	const struct modules	*modules;
	struct start		start;
	union {
		Elf64_Ehdr	native;
		Elf32_Ehdr	compat;
	} header;
	Elf			*elf;
	char			chunk[CHUNK];
	uint64_t		chunk_addr;
	size_t			chunk_size;
	bool			again;
	bool			returned;
	uint64_t		missing;
	walk_fn			frame;
	uint64_t		left;
	char			*why;
};

/* The only walk: a Dwfl can be attached to one process only, and only once. */
static struct walk walking;

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	/* libdwfl gets one thread, whose id is 1. */
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return 1;
}

static unsigned int word_size(const struct walk *walk)
{
	return walk->start.compat ? 4 : 8;
}

static unsigned int nr_regs(const struct walk *walk)
{
	return walk->start.compat ? WALK_REGS_COMPAT : WALK_REGS_NATIVE;
}

static bool read_bytes(struct walk *walk, uint64_t addr, void *to, size_t size)
{
	uint64_t into = addr - walk->chunk_addr;

	if (addr < walk->chunk_addr || into > walk->chunk_size ||
	    size > walk->chunk_size - into) {
		walk->chunk_addr = addr;
		walk->chunk_size = ask_memory(addr, walk->chunk, CHUNK);
		into = 0;
		if (walk->chunk_size < size)
			return false;
	}
	memcpy(to, walk->chunk + into, size);
	return true;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *word, void *arg)
{
	struct walk *walk = arg;

	(void)dwfl;
	*word = 0;
	if (read_bytes(walk, addr, word, word_size(walk)))
		return true;
	walk->missing = addr;
	return false;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct walk *walk = arg;

	return dwfl_thread_state_registers(thread, 0, nr_regs(walk),
					   walk->start.regs);
}

static const Dwfl_Thread_Callbacks callbacks = {
	.next_thread = next_thread,
	.memory_read = read_word,
	.set_initial_registers = set_registers,
};

static Elf *make_elf(struct walk *walk)
{
	unsigned char *ident = walk->header.native.e_ident;
	bool compat = walk->start.compat;

	memset(&walk->header, 0, sizeof(walk->header));
	memcpy(ident, ELFMAG, SELFMAG);
	ident[EI_CLASS] = compat ? ELFCLASS32 : ELFCLASS64;
	ident[EI_DATA] = ELFDATA2LSB;
	ident[EI_VERSION] = EV_CURRENT;
	walk->header.native.e_type = ET_CORE;
	walk->header.native.e_machine = compat ? EM_386 : EM_X86_64;
	walk->header.native.e_version = EV_CURRENT;
	if (compat)
		walk->header.compat.e_ehsize = sizeof(Elf32_Ehdr);
	else
		walk->header.native.e_ehsize = sizeof(Elf64_Ehdr);
	return elf_memory((char *)&walk->header, sizeof(walk->header));
}

/* Attaches the callbacks to the Dwfl, which is possible only once. */
static bool attach(struct walk *walk)
{
	if (walk->elf)
		return true;
	walk->elf = make_elf(walk);
	/* Without @elf, libdw needs a module, which some processes do not have. */
	return walk->elf && dwfl_attach_state(walk->modules->dwfl, walk->elf, 1,
					      &callbacks, walk);
}

/* Lets libdw begin again at this frame, but with another instruction pointer. */
static void begin_at(struct walk *walk, Dwfl_Frame *state, Dwarf_Addr pc)
{
	unsigned int last = nr_regs(walk) - 1, i;

	for (i = 0; i < last; i++)
		if (dwfl_frame_reg(state, i, &walk->start.regs[i]))
			walk->start.regs[i] = 0;
	walk->start.regs[last] = pc;
	walk->again = true;
}

/* Finds the unwind rules for an address; NULL if there are none. */
static Dwarf_Frame *find_rules(Dwfl_Module *module, uint64_t addr)
{
	Dwarf_Frame *rules = NULL;
	Dwarf_Addr bias;
	Dwarf_CFI *cfi;

	cfi = dwfl_module_eh_cfi(module, &bias);
	if (cfi && !dwarf_cfi_addrframe(cfi, addr - bias, &rules))
		return rules;
	/* .debug_frame, of the file itself or of its debug file. */
	cfi = modules_reading(module) == READ_ALL ?
		      dwfl_module_dwarf_cfi(module, &bias) : NULL;
	if (cfi && !dwarf_cfi_addrframe(cfi, addr - bias, &rules))
		return rules;
	return NULL;
}

/*
 * Are there unwind rules for an address? Without rules, libdw assumes that rbp is a
 * frame pointer, which is wrong for most programs.
 */
static bool is_described(Dwfl_Module *module, uint64_t addr)
{
	Dwarf_Frame *rules = module ? find_rules(module, addr) : NULL;
	bool known = rules;

	free(rules);
	return known;
}

/* Do the unwind rules for the address mark a signal frame? */
static bool is_signal(Dwfl_Module *module, uint64_t addr)
{
	Dwarf_Frame *rules = module ? find_rules(module, addr) : NULL;
	bool signal = false;

	if (rules)
		dwarf_frame_info(rules, NULL, NULL, &signal);
	free(rules);
	return signal;
}

/*
 * Is @pc the return address of a signal handler? libdw looks up the rules of pc - 1, as
 * for a call; but a trampoline contains no call, and in the 32-bit vDSO of newer
 * kernels there are no rules for the instruction before the trampoline.
 */
static bool ends_handler(Dwfl_Module *module, uint64_t pc, uint64_t addr)
{
	return !is_described(module, addr) && is_signal(module, pc);
}

/*
 * Leaves a signal trampoline without unwind information by the registers in the signal
 * frame. Rules for the instruction before @pc are not used unless they mark a signal
 * frame: they are those of another function.
 */
static bool leave_handler(struct walk *walk, Dwfl_Frame *state,
			  Dwfl_Module *module, uint64_t pc, uint64_t addr)
{
	bool compat = walk->start.compat;
	unsigned char code[TRAMPOLINE_CODE];
	uint64_t context;
	Dwarf_Word sp;

	if ((!lookup_code(walk->modules, pc, code, sizeof(code)) &&
	     !read_bytes(walk, pc, code, sizeof(code))) ||
	    is_signal(module, addr) ||
	    dwfl_frame_reg(state, compat ? 4 : 7, &sp) ||
	    !trampoline_find(code, compat, sp, &context) ||
	    !trampoline_read(context, compat, walk->start.regs))
		return false;
	walk->again = true;
	return true;
}

/*
 * Leaves the target of a call through a bad pointer, where there is no code: the return
 * address is still at the top of the stack, if that word follows a call instruction.
 */
static bool leave_nowhere(struct walk *walk, Dwfl_Frame *state, uint64_t pc)
{
	unsigned int sp = walk->start.compat ? 4 : 7;
	Dwarf_Word top, to = 0;

	if (modules_is_code(walk->modules, pc) ||
	    dwfl_frame_reg(state, sp, &top) ||
	    !read_bytes(walk, top, &to, word_size(walk)) ||
	    !lookup_follows_call(walk->modules, to))
		return false;
	begin_at(walk, state, to - 1);
	walk->start.regs[sp] += word_size(walk);
	walk->returned = true;
	return true;
}

static void __attribute__((format(printf, 2, 3)))
stop(struct walk *walk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(walk->why, WALK_WHY_SIZE, format, args);
	va_end(args);
}

/* Leaves a frame without unwind rules; returns false if that is impossible. */
static bool leave(struct walk *walk, Dwfl_Frame *state, uint64_t pc,
		  bool is_activation)
{
	if (is_activation && leave_nowhere(walk, state, pc))
		return true;
	stop(walk, "there is no unwind information for 0x%" PRIx64, pc);
	return false;
}

/* Passes a frame to @walk->frame. Returns false if no more frames are allowed. */
static bool take_frame(struct walk *walk, uint64_t pc, uint64_t addr)
{
	walk->frame(pc, addr);
	if (walk->left--)
		return true;
	walk->again = false;
	stop(walk, "there are more calls than %" PRIu64, walk->start.max);
	return false;
}

static int on_frame(Dwfl_Frame *state, void *arg)
{
	struct walk *walk = arg;
	Dwfl_Module *module;
	bool is_activation;
	Dwarf_Addr pc, addr;

	/* A read that fails from now on is on the way to the next frame. */
	walk->missing = 0;
	if (!dwfl_frame_pc(state, &pc, &is_activation))
		return DWARF_CB_ABORT;
	pc += walk->returned;
	is_activation &= !walk->returned;
	walk->returned = false;
	/* A return address may be after its function's end, or in the next line. */
	addr = is_activation ? pc : pc - 1;
	module = modules_at(walk->modules, addr);
	if (ends_handler(module, pc, addr)) {
		begin_at(walk, state, pc);
		return DWARF_CB_ABORT;
	}
	if (!is_activation && leave_handler(walk, state, module, pc, addr)) {
		take_frame(walk, pc, pc);
		return DWARF_CB_ABORT;
	}
	if (!take_frame(walk, pc, addr))
		return DWARF_CB_ABORT;
	modules_at(walk->modules, addr);
	if (is_described(module, addr))
		return DWARF_CB_OK;
	leave(walk, state, pc, is_activation);
	return DWARF_CB_ABORT;
}

bool walk(const struct modules *modules, const struct start *start,
	  walk_fn frame, uint64_t *missing, char why[WALK_WHY_SIZE])
{
	struct walk *walk = &walking;
	int ret = -1;

	walk->modules = modules;
	walk->start = *start;
	walk->chunk_size = 0;
	walk->missing = 0;
	walk->returned = false;
	walk->frame = frame;
	walk->left = start->max;
	walk->why = why;
	why[0] = '\0';
	modules_at(modules, start->regs[nr_regs(walk) - 1]);
	do {
		walk->again = false;
		if (attach(walk))
			ret = dwfl_getthread_frames(modules->dwfl, 1, on_frame,
						    walk);
	} while (walk->again);
	/* libdw returns 0 for the outermost frame, but also after a read that failed. */
	if (!ret && !walk->missing)
		return true;
	*missing = why[0] ? 0 : walk->missing;
	if (*missing)
		stop(walk, "memory at 0x%" PRIx64 " cannot be read",
		     walk->missing);
	else if (!why[0])
		snprintf(why, WALK_WHY_SIZE, "libdw: %s", dwfl_errmsg(-1));
	return false;
}
