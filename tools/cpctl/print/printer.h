/* SPDX-License-Identifier: GPL-2.0-only */
/* Where and how checkpoints are printed for people. */
#ifndef PRINTER_H
#define PRINTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

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

/* symbol_print() - print a symbol: name+0xoffset (module), or [module]+0xoffset */
void symbol_print(const struct printer *printer, const struct symbol *symbol);

#endif /* PRINTER_H */
