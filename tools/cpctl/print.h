/* SPDX-License-Identifier: GPL-2.0-only */
/* Checkpoints for people to read. */
#ifndef PRINT_H
#define PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "snapshot.h"
#include "style.h"
#include "symbols.h"

/*
 * struct view - how much of the stack is shown
 * @stack_bytes: most bytes from RSP on
 * @full: all that was saved, also below RSP
 */
struct view {
	uint64_t	stack_bytes;
	bool		full;
};

/*
 * struct printer - where and how to print
 * @out: where
 * @style: the style of @out
 * @symbols: of the process
 * @view: how much of the stack
 * @columns: of the terminal that @out is; 0 without a limit
 */
struct printer {
	FILE			*out;
	const struct style	*style;
	struct symbols		*symbols;
	struct view		view;
	unsigned int		columns;
};

/* print_headline() - print the headline of a checkpoint */
void print_headline(const struct printer *printer, const struct cp_checkpoint *cp);

/*
 * print_snapshot() - print a checkpoint
 * @now: the checkpoint
 * @before: the one before it, empty when there is none; what differs is marked
 */
void print_snapshot(const struct printer *printer, const struct snapshot *now,
		    const struct snapshot *before);

#endif /* PRINT_H */
