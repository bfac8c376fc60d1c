/* SPDX-License-Identifier: GPL-2.0-only */
/* The frames that the kernel creates for signal handlers. Runs in the namer. */
#ifndef TRAMPOLINE_H
#define TRAMPOLINE_H

#include <stdbool.h>
#include <stdint.h>

/* The length of the longest trampoline. */
#define TRAMPOLINE_CODE 9

/*
 * trampoline_find() - is this the code to which a signal handler returns?
 * @code: the code at the address in question
 * @compat: whether this is 32-bit code
 * @sp: the stack pointer at that address
 * @context: receives the address of the interrupted registers
 *
 * Return: true if the code only calls sigreturn(2).
 */
bool trampoline_find(const unsigned char code[TRAMPOLINE_CODE], bool compat,
		     uint64_t sp, uint64_t *context);

/*
 * trampoline_read() - read the interrupted registers
 * @regs: receives the registers in the order of their DWARF numbers
 *
 * Return: false if the memory is missing.
 */
bool trampoline_read(uint64_t context, bool compat, uint64_t *regs);

#endif /* TRAMPOLINE_H */
