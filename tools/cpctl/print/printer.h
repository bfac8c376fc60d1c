/* SPDX-License-Identifier: GPL-2.0-only */
/* The destination and the format of checkpoints for people. */
#ifndef PRINTER_H
#define PRINTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "style.h"
#include "symbols.h"

/*
 * struct view - the part of the stack to print
 * @stack_bytes: the maximum number of bytes, beginning at RSP
 * @full: whether to print all captured bytes, including those below RSP
 */
struct view {
	uint64_t	stack_bytes;
	bool		full;
};

/*
 * struct printer - the destination and the format
 * @out: the stream to print to
 * @style: the style of @out
 * @symbols: the symbols of the process
 * @view: the part of the stack to print
 * @columns: the width of the terminal @out; 0 for no limit
 * @number: the number of the current checkpoint in a recording; 0 if there is none other
 *	than cp_checkpoint.seq
 */
struct printer {
	FILE			*out;
	const struct style	*style;
	struct symbols		*symbols;
	struct view		view;
	unsigned int		columns;
	uint64_t		number;
};

/* symbol_print() - print a symbol: name+0xoffset (module), or [module]+0xoffset */
void symbol_print(const struct printer *printer, const struct symbol *symbol);

#endif /* PRINTER_H */
