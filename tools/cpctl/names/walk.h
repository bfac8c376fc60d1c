/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding the calls on a stack by unwind information. Runs in the namer. */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "modules.h"

/* The number of registers for unwinding; the last one is the instruction pointer. */
#define WALK_REGS_NATIVE 17
#define WALK_REGS_COMPAT 9

/* WALK_WHY_SIZE - room for the reason why the walk has ended */
#define WALK_WHY_SIZE 256

/*
 * struct start - the beginning of a walk
 * @compat: whether the walk begins in 32-bit code
 * @max: the maximum number of calls
 * @regs: the registers in the order of their DWARF numbers
 */
struct start {
	uint64_t	compat;
	uint64_t	max;
	uint64_t	regs[WALK_REGS_NATIVE];
};

/*
 * walk_fn - receives a call
 * @pc: the address at which the function will continue
 * @addr: an address inside the instruction
 */
typedef void (*walk_fn)(uint64_t pc, uint64_t addr);

/*
 * walk() - find the calls, the innermost first
 * @frame: the function to call for each of them
 * @missing: receives the address of the memory that could not be read, or 0
 * @why: receives the reason if the outermost call was not reached, else ""
 *
 * ask_memory() provides the memory. Return: true if the outermost call was reached.
 */
bool walk(const struct modules *modules, const struct start *start,
	  walk_fn frame, uint64_t *missing, char why[WALK_WHY_SIZE]);

#endif /* WALK_H */
