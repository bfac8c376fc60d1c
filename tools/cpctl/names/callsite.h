/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling return addresses from other pointers into code. */
#ifndef CALLSITE_H
#define CALLSITE_H

#include <stdbool.h>
#include <stddef.h>

/* The longest call instruction: opcode, ModRM, SIB, displacement, a prefix. */
#define CALL_MAX 8

/*
 * ends_with_call() - does code end with a call instruction?
 * @code: the code right before an address
 * @len: its length
 *
 * Machine code cannot be read backwards for certain: other instructions that
 * happen to end in such bytes are taken for a call.
 */
bool ends_with_call(const unsigned char *code, size_t len);

#endif /* CALLSITE_H */
