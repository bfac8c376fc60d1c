/* SPDX-License-Identifier: GPL-2.0-only */
/* What had brought the slave into the kernel. */
#ifndef ENTRY_H
#define ENTRY_H

#include <checkpoint.h>

/* entry_word() - "syscall", "fault" or "interrupt". */
const char *entry_word(const struct cp_checkpoint *cp);

/*
 * entry_syscall() - the name of the system call that is being left
 *
 * Return: the name, to be freed, or NULL when it has none that is known or
 * the slave was in no system call.
 */
char *entry_syscall(const struct cp_checkpoint *cp);

/*
 * syscall_name() - the name of a system call
 * @number: its number
 * @flags: CP_CHECKPOINT_* of the checkpoint that it is from
 *
 * Return: the name, to be freed, or NULL when it has none that is known.
 */
char *syscall_name(int number, uint32_t flags);

#endif /* ENTRY_H */
