/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An errand: system calls that the slave executes on the master's behalf, on its way to
 * user mode.
 *
 * The slave's registers and its signal mask are saved. Then it enters user mode at an
 * instruction that makes a system call, in its vDSO, with registers for that call; the
 * return from the call is the next step of the errand. In the end everything is as it was
 * saved. The hook sees to it that no other instruction is executed (hook.h).
 *
 * All signals but SIGKILL are blocked meanwhile, SIGSTOP included, and take effect
 * afterwards. A stop that another thread has begun, the cgroup freezer and a debugger can
 * halt the slave in the middle; it continues from there.
 */
#ifndef _CP_ERRAND_H
#define _CP_ERRAND_H

#include <linux/ptrace.h>
#include <linux/restart_block.h>
#include <linux/signal_types.h>
#include <linux/types.h>

/**
 * struct cp_errand - an errand of the current task
 * @insn:	address of the instruction
 * @program:	the registers of the program
 * @blocked:	its signal mask
 * @restart:	what restart_syscall(2) would continue
 */
struct cp_errand {
	unsigned long insn;
	struct pt_regs program;
	sigset_t blocked;
	struct restart_block restart;
};

int cp_errand_prepare(struct cp_errand *errand, const struct pt_regs *regs);
void cp_errand_begin(struct cp_errand *errand, const struct pt_regs *regs);
void cp_errand_call(const struct cp_errand *errand, struct pt_regs *regs,
		    unsigned long nr, unsigned long arg1, unsigned long arg2,
		    unsigned long arg3);
bool cp_errand_returned(const struct cp_errand *errand,
			const struct pt_regs *regs, long *result);
void cp_errand_end(struct cp_errand *errand, struct pt_regs *regs);

#endif /* _CP_ERRAND_H */
