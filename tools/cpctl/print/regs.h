/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of a checkpoint by name. */
#ifndef REGS_H
#define REGS_H

#include <checkpoint.h>

#define NR_REGS 27

/* reg_name() - the name of register @i in gdb, in the order of gdb's list */
const char *reg_name(unsigned int i);

/* reg_value() - the value of register @i, from 0 to NR_REGS - 1 */
uint64_t reg_value(const struct cp_regs *regs, unsigned int i);

/*
 * eflags_names() - the set flags in the format of gdb: "[ PF ZF IF ]"
 * @names: receives the text
 */
#define EFLAGS_NAMES_SIZE 80
void eflags_names(uint64_t eflags, char names[EFLAGS_NAMES_SIZE]);

#endif /* REGS_H */
