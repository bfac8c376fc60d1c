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

/*
 * Copies the next bytes that may be a signal frame, from *@at on, and sets *@at to their
 * offset. The slave is held meanwhile, so this looks for the rare byte of the code segment
 * by memchr(), which reads many bytes at a time. Returns false if there are none before
 * @end.
 */
static bool find_frame(const unsigned char *bytes, size_t *at, size_t end,
		       ucontext_t *context)
{
	size_t selector = offsetof(ucontext_t, uc_mcontext.gregs[REG_CSGSFS]);

	while (*at + CONTEXT_SIZE <= end) {
		const unsigned char *begin = bytes + *at + selector;
		const unsigned char *found = memchr(begin, USER_CS,
						    end - *at - selector);

		if (!found)
			return false;
		*at += (size_t)(found - begin);
		/* The ucontext_t of a signal frame is aligned to eight bytes. */
		if ((found - begin) % sizeof(greg_t) == 0 &&
		    *at + CONTEXT_SIZE <= end) {
			memcpy(context, bytes + *at, CONTEXT_SIZE);
			return true;
		}
		*at += sizeof(greg_t) - (size_t)(found - begin) % sizeof(greg_t);
	}
	return false;
}

uint64_t altstack_interrupted(const struct cp_regs *regs,
			      const struct cp_segment *info,
			      const unsigned char *bytes)
{
	uint64_t sp = regs->rsp, other;
	size_t at = sp - info->addr, end;
	ucontext_t context;

	if (at > info->size)
		return 0;
	end = info->size - at > SEARCH_MAX ? at + SEARCH_MAX : info->size;
	for (at += -sp % sizeof(sp); find_frame(bytes, &at, end, &context);
	     at += sizeof(sp)) {
		if (!is_frame(&context, info->addr + at, sp))
			continue;
		other = (uint64_t)context.uc_mcontext.gregs[REG_RSP];
		return other - info->addr < info->size ? 0 : other;
	}
	return 0;
}
