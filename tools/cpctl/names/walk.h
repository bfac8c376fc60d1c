/* SPDX-License-Identifier: GPL-2.0-only */
/* Which functions called which, by unwind information. In the namer. */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "modules.h"

/* Registers that unwinding needs, the instruction pointer being the last. */
#define WALK_REGS_NATIVE 17
#define WALK_REGS_COMPAT 9

/* WALK_WHY_SIZE - room for the reason why there are no more calls */
#define WALK_WHY_SIZE 256

/*
 * struct start - where a walk begins
 * @compat: in 32-bit code
 * @max: at most so many calls
 * @regs: in the order in which DWARF numbers them
 */
struct start {
	uint64_t	compat;
	uint64_t	max;
	uint64_t	regs[WALK_REGS_NATIVE];
};

/* walk_fn - receives a call: where it goes on, and an address inside the instruction */
typedef void (*walk_fn)(uint64_t pc, uint64_t addr);

/*
 * walk() - find the calls, the innermost first
 * @missing: receives the address of the memory that could not be read; else 0
 * @why: receives why there are no more, when that is not the outermost
 *
 * Memory is asked of cpctl. Return: true when the outermost was reached.
 */
bool walk(const struct modules *modules, const struct start *start,
	  walk_fn frame, uint64_t *missing, char why[WALK_WHY_SIZE]);

#endif /* WALK_H */
