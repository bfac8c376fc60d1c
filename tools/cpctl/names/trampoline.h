/* SPDX-License-Identifier: GPL-2.0-only */
/* The frames that the kernel makes for signal handlers. In the namer. */
#ifndef TRAMPOLINE_H
#define TRAMPOLINE_H

#include <stdbool.h>
#include <stdint.h>

/* The longest code of a trampoline. */
#define TRAMPOLINE_CODE 9

/*
 * trampoline_find() - is this where a signal handler returns to?
 * @code: what is there
 * @compat: it is 32-bit code
 * @sp: the stack pointer there
 * @context: receives the address of the registers that were interrupted
 *
 * Return: true when the code does nothing but call sigreturn(2).
 */
bool trampoline_find(const unsigned char code[TRAMPOLINE_CODE], bool compat,
		     uint64_t sp, uint64_t *context);

/*
 * trampoline_read() - read these registers
 * @regs: receives them in the order in which DWARF numbers them
 *
 * Return: false when the memory is missing.
 */
bool trampoline_read(uint64_t context, bool compat, uint64_t *regs);

#endif /* TRAMPOLINE_H */
