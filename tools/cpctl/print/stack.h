/* SPDX-License-Identifier: GPL-2.0-only */
/* The stack for people to read, one word per line. */
#ifndef STACK_H
#define STACK_H

#include "printer.h"
#include "snapshot.h"

/*
 * stack_range() - the bytes of a segment to print
 * @start: receives the address of the first byte in the slave
 *
 * Return: the number of bytes.
 */
uint64_t stack_range(const struct snapshot *snapshot,
		     const struct segment *segment, const struct view *view,
		     uint64_t *start);

/* stack_print() - print the bytes of stack_range(); arguments as print_snapshot() */
void stack_print(const struct printer *printer, const struct snapshot *now,
		 const struct snapshot *before, const struct segment *segment);

#endif /* STACK_H */
