/* SPDX-License-Identifier: GPL-2.0-only */
/* How the slave had entered the kernel. */
#ifndef ENTRY_H
#define ENTRY_H

#include <checkpoint.h>

/* entry_word() - "syscall", "fault" or "interrupt" */
const char *entry_word(const struct cp_checkpoint *cp);

/*
 * entry_syscall() - the name of the system call from which the slave returns
 *
 * Return: the name, to be freed by the caller, or NULL if the name is not known or the
 * slave was not in a system call.
 */
char *entry_syscall(const struct cp_checkpoint *cp);

/*
 * syscall_name() - the name of a system call
 * @number: the number of the system call
 * @flags: CP_CHECKPOINT_* of the checkpoint with this number
 *
 * Return: the name, to be freed by the caller, or NULL if the name is not known.
 */
char *syscall_name(int number, uint32_t flags);

#endif /* ENTRY_H */
