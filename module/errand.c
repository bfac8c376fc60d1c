// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls on the master's behalf: errand.h. Everything runs in the slave's work.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>
#include <asm/vdso.h>

#include "errand.h"
#include "sleeper.h"

static const u8 syscall_insn[CP_SYSCALL_INSN_SIZE] = { 0x0f, 0x05 };

static bool is_executable(unsigned long addr)
{
	struct vm_area_struct *vma;
	bool executable;

	if (mmap_read_lock_killable(current->mm))
		return false;
	vma = find_vma(current->mm, addr);
	executable = vma && addr >= vma->vm_start && vma->vm_flags & VM_EXEC &&
		     addr + CP_SYSCALL_INSN_SIZE <= vma->vm_end;
	mmap_read_unlock(current->mm);
	return executable;
}

static bool is_syscall_insn(unsigned long addr)
{
	u8 bytes[CP_SYSCALL_INSN_SIZE];

	return !copy_from_user(bytes, (void __user *)addr, sizeof(bytes)) &&
	       !memcmp(bytes, syscall_insn, sizeof(bytes)) && is_executable(addr);
}

/* Any place where the bytes lie will do, even in the middle of other instructions. */
static unsigned long find_in_vdso(const struct mm_struct *mm)
{
	const struct vdso_image *image = mm->context.vdso_image;
	unsigned long base = (unsigned long)mm->context.vdso;
	const u8 *data;
	unsigned long i;

	if (!image || !base)
		return 0;
	data = image->data;
	for (i = 0; i + sizeof(syscall_insn) <= image->size; i++)
		if (!memcmp(data + i, syscall_insn, sizeof(syscall_insn)))
			return base + i;
	return 0;
}

/**
 * cp_errand_prepare - find the instruction
 * @errand: the errand
 * @regs: the registers of the program
 *
 * Changes nothing. May sleep.
 *
 * Return: 0; -EOPNOTSUPP when the program has no instruction for system calls of 64-bit
 * code where one is expected: in the vDSO, and before the place to which it returns.
 */
int cp_errand_prepare(struct cp_errand *errand, const struct pt_regs *regs)
{
	if (!user_64bit_mode((struct pt_regs *)regs))
		return -EOPNOTSUPP;
	errand->insn = find_in_vdso(current->mm);
	if (errand->insn && is_syscall_insn(errand->insn))
		return 0;
	errand->insn = regs->ip - CP_SYSCALL_INSN_SIZE;
	return is_syscall_insn(errand->insn) ? 0 : -EOPNOTSUPP;
}

/**
 * cp_errand_begin - save the state to which the errand leads back
 * @errand: the errand, prepared
 * @regs: the registers of the program
 */
void cp_errand_begin(struct cp_errand *errand, const struct pt_regs *regs)
{
	sigset_t all;

	errand->program = *regs;
	errand->restart = current->restart_block;
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigprocmask(SIG_SETMASK, &all, &errand->blocked);
}

/**
 * cp_errand_call - make a system call at the next entry to user mode
 * @errand: the errand
 * @regs: set
 * @nr: number of the call
 * @arg1: its first argument
 * @arg2: its second argument
 * @arg3: its third argument; all others are 0
 */
void cp_errand_call(const struct cp_errand *errand, struct pt_regs *regs,
		    unsigned long nr, unsigned long arg1, unsigned long arg2,
		    unsigned long arg3)
{
	regs->ax = nr;
	regs->di = arg1;
	regs->si = arg2;
	regs->dx = arg3;
	regs->r10 = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->ip = errand->insn;
	/* The program may single-step itself. */
	regs->flags &= ~X86_EFLAGS_TF;
	/* No system call is to be restarted. */
	regs->orig_ax = -1;
}

/**
 * cp_errand_returned - has the system call returned?
 * @errand: the errand
 * @regs: the registers with which user mode is entered
 * @result: set to the call's result
 *
 * Return: false when the instruction is still to be executed: an interrupt came before, or
 * the call is restarted.
 */
bool cp_errand_returned(const struct cp_errand *errand,
			const struct pt_regs *regs, long *result)
{
	if (regs->ip == errand->insn)
		return false;
	/* Unless a debugger has interfered. */
	*result = regs->ip == errand->insn + CP_SYSCALL_INSN_SIZE ?
			  (long)regs->ax : -EINTR;
	return true;
}

/* Not as a whole: with FRED, the words beside SS and CS belong to the event. */
static void restore_regs(struct pt_regs *to, const struct pt_regs *from)
{
	memcpy(to, from, offsetof(struct pt_regs, orig_ax));
	to->orig_ax = from->orig_ax;
	to->ip = from->ip;
	to->cs = from->cs;
	to->flags = from->flags;
	to->sp = from->sp;
	to->ss = from->ss;
}

/**
 * cp_errand_end - restore what cp_errand_begin() has saved
 * @errand: the errand
 * @regs: set to the registers of the program
 */
void cp_errand_end(struct cp_errand *errand, struct pt_regs *regs)
{
	restore_regs(regs, &errand->program);
	current->restart_block = errand->restart;
	sigprocmask(SIG_SETMASK, &errand->blocked, NULL);
}
