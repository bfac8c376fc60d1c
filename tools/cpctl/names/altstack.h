/* SPDX-License-Identifier: GPL-2.0-only */
/* The stack of the interrupted code, for a signal handler on an alternate stack. */
#ifndef ALTSTACK_H
#define ALTSTACK_H

#include <checkpoint.h>
#include <stdint.h>

/*
 * altstack_interrupted() - find the stack pointer of the interrupted code
 * @regs: the registers of a checkpoint of 64-bit code
 * @info: the stack segment of the checkpoint
 * @bytes: the bytes of that segment
 *
 * If the handler runs on the stack of sigaltstack(2), the signal frame on that stack
 * contains the interrupted registers. Only the first 64 KiB are searched for it.
 *
 * Return: the stack pointer, or 0 if there is no such frame, or if the stack pointer is
 * in the same segment.
 */
uint64_t altstack_interrupted(const struct cp_regs *regs,
			      const struct cp_segment *info,
			      const unsigned char *bytes);

#endif /* ALTSTACK_H */
