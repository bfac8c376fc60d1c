/* SPDX-License-Identifier: GPL-2.0-only */
/* The stack for people to read, a word to a line. */
#ifndef STACK_H
#define STACK_H

#include "printer.h"
#include "snapshot.h"

/*
 * stack_range() - which bytes of a segment are shown
 * @start: receives the address of the first, in the slave
 *
 * Return: how many.
 */
uint64_t stack_range(const struct snapshot *snapshot,
		     const struct segment *segment, const struct view *view,
		     uint64_t *start);

/* stack_print() - print these bytes; arguments as of print_snapshot() */
void stack_print(const struct printer *printer, const struct snapshot *now,
		 const struct snapshot *before, const struct segment *segment);

#endif /* STACK_H */
