/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slaves whose stack is a mapping that the test has made.
 */
#ifndef _CP_SELFTESTS_STACK_H
#define _CP_SELFTESTS_STACK_H

/* Makes system calls for ever, with RSP at @sp and without using the stack. */
static inline void __attribute__((noreturn)) call_on_stack(void *sp)
{
	asm volatile("movq %0, %%rsp\n"
		     "1:	movl $110, %%eax\n"	/* getppid */
		     "	syscall\n"
		     "	jmp 1b\n" : : "r"(sp) : "memory");
	__builtin_unreachable();
}

#endif /* _CP_SELFTESTS_STACK_H */
