/* SPDX-License-Identifier: GPL-2.0-only */
/* The stack that a signal handler interrupted, when the handler has its own. */
#ifndef ALTSTACK_H
#define ALTSTACK_H

#include <checkpoint.h>
#include <stdint.h>

/*
 * altstack_interrupted() - find the stack pointer of the interrupted code
 * @regs: the registers of a checkpoint of 64-bit code
 * @info: the stack that the checkpoint holds
 * @bytes: its bytes
 *
 * A handler that runs on the stack of sigaltstack(2) has the interrupted
 * registers in the signal frame there. Only the first 64 KiB are searched.
 *
 * Return: the stack pointer, or 0 when there is no such frame, or when the
 * checkpoint holds that stack, too.
 */
uint64_t altstack_interrupted(const struct cp_regs *regs,
			      const struct cp_segment *info,
			      const unsigned char *bytes);

#endif /* ALTSTACK_H */
