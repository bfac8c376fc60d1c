// SPDX-License-Identifier: GPL-2.0-only
/* System calls that map code of a file into a process. */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "layout.h"

/* The numbers of system calls of 32-bit code. */
#define COMPAT_MMAP	90
#define COMPAT_MPROTECT	125
#define COMPAT_MMAP2	192

bool layout_changed(const struct cp_checkpoint *cp)
{
	if (cp->entry != CP_ENTRY_SYSCALL)
		return false;
	if (cp->flags & CP_CHECKPOINT_COMPAT)
		return cp->syscall == COMPAT_MMAP ||
		       cp->syscall == COMPAT_MMAP2 ||
		       cp->syscall == COMPAT_MPROTECT;
	switch (cp->syscall) {
	case SYS_mmap:
		return !(cp->regs.r10 & MAP_ANONYMOUS);
	case SYS_mprotect:
		return cp->regs.rdx & PROT_EXEC;
	default:
		return false;
	}
}
