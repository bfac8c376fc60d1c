// SPDX-License-Identifier: GPL-2.0-only
/* How the slave had entered the kernel. */
#include <seccomp.h>

#include "entry.h"

/* The bit that is set in the number of a system call of the x32 ABI. */
#define X32_SYSCALL 0x40000000

const char *entry_word(const struct cp_checkpoint *cp)
{
	switch (cp->entry) {
	case CP_ENTRY_SYSCALL:
		return "syscall";
	case CP_ENTRY_FAULT:
		return "fault";
	case CP_ENTRY_INTERRUPT:
		return "interrupt";
	default:
		return "unknown";
	}
}

char *syscall_name(int number, uint32_t flags)
{
	uint32_t arch = SCMP_ARCH_X86_64;

	/* libseccomp uses negative numbers for pseudo system calls. */
	if (number < 0)
		return NULL;
	/* 64-bit code may call 32-bit system calls, too, by int $0x80. */
	if (flags & (CP_CHECKPOINT_COMPAT | CP_CHECKPOINT_SYSCALL32))
		arch = SCMP_ARCH_X86;
	else if (number & X32_SYSCALL)
		arch = SCMP_ARCH_X32;
	return seccomp_syscall_resolve_num_arch(arch, number);
}

char *entry_syscall(const struct cp_checkpoint *cp)
{
	if (cp->entry != CP_ENTRY_SYSCALL)
		return NULL;
	return syscall_name(cp->syscall, cp->flags);
}
