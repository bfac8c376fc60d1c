// SPDX-License-Identifier: GPL-2.0-only
/* The stack of the interrupted code, for a signal handler on an alternate stack. */
#include <string.h>
#include <sys/ucontext.h>

#include "altstack.h"

/* Bytes to search for the signal frame. The kernel's frame is far smaller. */
#define SEARCH_MAX 65536

/* The code segment of 64-bit user code. */
#define USER_CS 0x33

/* The part of a ucontext_t that the kernel writes: the type of glibc is longer. */
#define CONTEXT_SIZE (offsetof(ucontext_t, uc_mcontext) + \
		      sizeof(((ucontext_t *)NULL)->uc_mcontext.gregs))

static bool lies_in(const stack_t *stack, uint64_t addr)
{
	return addr - (uintptr_t)stack->ss_sp < stack->ss_size;
}

/*
 * Any word may look like the beginning of a signal frame. The kernel's frame contains
 * the limits of the stack on which it lies, and its registers are those of user code
 * with a stack pointer outside these limits.
 */
static bool is_frame(const ucontext_t *context, uint64_t addr, uint64_t sp)
{
	const greg_t *regs = context->uc_mcontext.gregs;

	return lies_in(&context->uc_stack, addr) &&
	       lies_in(&context->uc_stack, addr + CONTEXT_SIZE) &&
	       lies_in(&context->uc_stack, sp) &&
	       !lies_in(&context->uc_stack, (uint64_t)regs[REG_RSP]) &&
	       (regs[REG_CSGSFS] & 0xffff) == USER_CS;
}

uint64_t altstack_interrupted(const struct cp_regs *regs,
			      const struct cp_segment *info,
			      const unsigned char *bytes)
{
	uint64_t sp = regs->rsp, at = sp - info->addr, other;
	ucontext_t context;
	uint64_t end;

	if (at > info->size)
		return 0;
	end = info->size - at > SEARCH_MAX ? at + SEARCH_MAX : info->size;
	/* The ucontext_t of a signal frame is aligned to eight bytes. */
	for (at += -sp % sizeof(sp); at + CONTEXT_SIZE <= end; at += sizeof(sp)) {
		memcpy(&context, bytes + at, CONTEXT_SIZE);
		if (!is_frame(&context, info->addr + at, sp))
			continue;
		other = (uint64_t)context.uc_mcontext.gregs[REG_RSP];
		return other - info->addr < info->size ? 0 : other;
	}
	return 0;
}
