// SPDX-License-Identifier: GPL-2.0-only
/*
 * A loop of system calls whose registers and stack can be checked against each
 * other: RBX counts the calls, the word at RSP is a copy of RBX, R12 is the number
 * of rounds, and R13 is a cookie that identifies the slave's loop.
 */
#include "storm.h"

uint64_t count_loop(uint64_t rounds, uint64_t cookie);
extern const char count_next[], count_counted[], count_called[], count_end[];

asm("	.text\n"
    "count_loop:\n"
    "	push	%rbx\n"
    "	push	%r12\n"
    "	push	%r13\n"
    "	sub	$16, %rsp\n"
    "	mov	%rdi, %r12\n"
    "	mov	%rsi, %r13\n"
    "	xor	%ebx, %ebx\n"
    "	mov	%rbx, (%rsp)\n"
    "count_next:\n"
    "	inc	%rbx\n"
    "count_counted:\n"
    "	mov	%rbx, (%rsp)\n"
    "	mov	$110, %eax\n"		/* getppid */
    "	syscall\n"
    "count_called:\n"
    "	cmp	%r12, %rbx\n"
    "	jb	count_next\n"
    "count_end:\n"
    "	mov	%rbx, %rax\n"
    "	add	$16, %rsp\n"
    "	pop	%r13\n"
    "	pop	%r12\n"
    "	pop	%rbx\n"
    "	ret\n");

/* Makes @rounds calls; exits with SLAVE_BROKEN if a register was corrupted. */
void count_rounds(uint64_t rounds, uint64_t cookie)
{
	if (count_loop(rounds, cookie) != rounds)
		_exit(SLAVE_BROKEN);
}

bool count_is_in_loop(const struct cp_regs *regs)
{
	return regs->rip >= (uintptr_t)count_next &&
	       regs->rip < (uintptr_t)count_end;
}

/* Are the registers, and the @word at RSP, consistent? */
bool count_agrees(const struct cp_regs *regs, uint64_t word)
{
	if (regs->rip == (uintptr_t)count_counted)
		word++;
	/* syscall saves the next RIP in RCX. */
	if (regs->orig_rax == SYS_getppid && regs->rcx != regs->rip)
		return false;
	return regs->rbx == word && regs->rbx <= regs->r12 &&
	       regs->r13 == SLAVE_COOKIE;
}
