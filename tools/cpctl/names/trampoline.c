// SPDX-License-Identifier: GPL-2.0-only
/* The frames that the kernel makes for signal handlers. In the namer. */
#include <stddef.h>
#include <string.h>

#include "ask.h"
#include "trampoline.h"

/*
 * struct kind - a way to call sigreturn(2)
 * @compat: in 32-bit code
 * @size: of @code
 * @code: the instructions
 * @context: from the stack pointer to the registers, or to a pointer
 * @pointer: there is a pointer to a ucontext there
 */
struct kind {
	bool		compat;
	unsigned int	size;
	unsigned char	code[TRAMPOLINE_CODE];
	unsigned int	context;
	bool		pointer;
};

/* In struct ucontext, what precedes the registers. */
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

/* In struct sigcontext, the place of each register that DWARF numbers. */
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
