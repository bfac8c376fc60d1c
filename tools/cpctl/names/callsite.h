/* SPDX-License-Identifier: GPL-2.0-only */
/* Distinguishing return addresses from other pointers into code. */
#ifndef CALLSITE_H
#define CALLSITE_H

#include <stdbool.h>
#include <stddef.h>

/* The longest call instruction: opcode, ModRM, SIB, displacement, a prefix. */
#define CALL_MAX 8

/*
 * ends_with_call() - does code end with a call instruction?
 * @code: the code immediately before an address
 * @len: the length of @code
 *
 * Machine code cannot be decoded backwards reliably: another instruction whose last
 * bytes look like a call is taken for one.
 */
bool ends_with_call(const unsigned char *code, size_t len);

#endif /* CALLSITE_H */
