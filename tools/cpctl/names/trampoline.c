// SPDX-License-Identifier: GPL-2.0-only
/* The frames that the kernel creates for signal handlers. Runs in the namer. */
#include <stddef.h>
#include <string.h>

#include "ask.h"
#include "trampoline.h"

/*
 * struct kind - a kind of trampoline
 * @compat: whether this is 32-bit code
 * @size: the length of @code
 * @code: the instructions
 * @context: the offset from the stack pointer to the registers, or to a pointer
 * @pointer: whether there is a pointer to a ucontext at @context
 */
struct kind {
	bool		compat;
	unsigned int	size;
	unsigned char	code[TRAMPOLINE_CODE];
	unsigned int	context;
	bool		pointer;
};

/* The offset of the registers in struct ucontext. */
#define NATIVE_UCONTEXT	40
#define COMPAT_UCONTEXT	20

static const struct kind kinds[] = {
	/* mov $__NR_rt_sigreturn, %rax; syscall */
	{ false, 9, { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 },
	  NATIVE_UCONTEXT, false },
	/* mov $__NR_rt_sigreturn, %eax; syscall */
	{ false, 7, { 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 }, NATIVE_UCONTEXT, false },
	/* pop %eax; mov $__NR_sigreturn, %eax; int $0x80 */
	{ true, 8, { 0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80 }, 4, false },
	/* mov $__NR_rt_sigreturn, %eax; int $0x80 */
	{ true, 7, { 0xb8, 0xad, 0, 0, 0, 0xcd, 0x80 }, 8, true },
};

bool trampoline_find(const unsigned char code[TRAMPOLINE_CODE], bool compat,
		     uint64_t sp, uint64_t *context)
{
	const struct kind *kind;
	uint32_t pointer;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		kind = &kinds[i];
		if (kind->compat != compat ||
		    memcmp(kind->code, code, kind->size))
			continue;
		*context = sp + kind->context;
		if (!kind->pointer)
			return true;
		if (!ask_all_memory(*context, &pointer, sizeof(pointer)))
			return false;
		*context = (uint64_t)pointer + COMPAT_UCONTEXT;
		return true;
	}
	return false;
}

/* The index in struct sigcontext of each register, in the order of DWARF numbers. */
static const unsigned char native_places[] = {
	13, 12, 14, 11, 9, 8, 10, 15, 0, 1, 2, 3, 4, 5, 6, 7, 16,
};

static const unsigned char compat_places[] = {
	11, 10, 9, 8, 7, 6, 5, 4, 14,
};

bool trampoline_read(uint64_t context, bool compat, uint64_t *regs)
{
	uint64_t native[17] = { 0 };
	uint32_t words[15] = { 0 };
	size_t i;

	if (compat ? !ask_all_memory(context, words, sizeof(words)) :
		     !ask_all_memory(context, native, sizeof(native)))
		return false;
	for (i = 0; compat && i < sizeof(compat_places); i++)
		regs[i] = words[compat_places[i]];
	for (i = 0; !compat && i < sizeof(native_places); i++)
		regs[i] = native[native_places[i]];
	return true;
}
