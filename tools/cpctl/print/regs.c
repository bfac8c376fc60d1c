// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a checkpoint by name. */
#include <string.h>

#include "regs.h"

#define REG(name) { #name, offsetof(struct cp_regs, name) }

static const struct {
	const char	*name;
	size_t		offset;
} table[NR_REGS] = {
	REG(rax),	REG(rbx),	REG(rcx),
	REG(rdx),	REG(rsi),	REG(rdi),
	REG(rbp),	REG(rsp),	REG(r8),
	REG(r9),	REG(r10),	REG(r11),
	REG(r12),	REG(r13),	REG(r14),
	REG(r15),	REG(rip),	REG(eflags),
	REG(cs),	REG(ss),	REG(ds),
	REG(es),	REG(fs),	REG(gs),
	REG(fs_base),	REG(gs_base),	REG(orig_rax),
};

static const struct {
	unsigned int	bit;
	const char	*name;
} flags[] = {
	{ 0, "CF" },   { 2, "PF" },   { 4, "AF" },   { 6, "ZF" },
	{ 7, "SF" },   { 8, "TF" },   { 9, "IF" },   { 10, "DF" },
	{ 11, "OF" },  { 14, "NT" },  { 16, "RF" },  { 17, "VM" },
	{ 18, "AC" },  { 19, "VIF" }, { 20, "VIP" }, { 21, "ID" },
};

const char *reg_name(unsigned int i)
{
	return table[i].name;
}

uint64_t reg_value(const struct cp_regs *regs, unsigned int i)
{
	uint64_t value;

	memcpy(&value, (const char *)regs + table[i].offset, sizeof(value));
	return value;
}

void eflags_names(uint64_t eflags, char names[EFLAGS_NAMES_SIZE])
{
	char *to = stpcpy(names, "[ ");
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (eflags >> flags[i].bit & 1)
			to = stpcpy(stpcpy(to, flags[i].name), " ");
	}
	stpcpy(to, "]");
}
