// SPDX-License-Identifier: GPL-2.0-only
/* The destination and the format of checkpoints for people. */
#include <inttypes.h>

#include "printer.h"
#include "text.h"

void symbol_print(const struct printer *printer, const struct symbol *symbol)
{
	FILE *out = printer->out;

	if (symbol->name) {
		fputs(printer->style->symbol, out);
		print_name(out, symbol->name);
		fprintf(out, "+0x%" PRIx64 "%s (", symbol->offset,
			printer->style->end);
		print_name(out, symbol->module);
		fputc(')', out);
	} else {
		fputc('[', out);
		print_name(out, symbol->module);
		fprintf(out, "]+0x%" PRIx64, symbol->offset);
	}
}
