// SPDX-License-Identifier: GPL-2.0-only
/* Colours for output to a terminal, plain marks for other output. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "style.h"

static const struct style plain = {
	.head = "",
	.symbol = "",
	.changed = "*",
	.unchanged = " ",
	.end = "",
};

static const struct style coloured = {
	.head = "\033[1m",
	.symbol = "\033[36m",
	.changed = " \033[1;33m",
	.unchanged = " ",
	.end = "\033[0m",
};

const struct style *style_of(FILE *file)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if ((no_color && *no_color) || !term || !strcmp(term, "dumb") ||
	    !isatty(fileno(file)))
		return &plain;
	return &coloured;
}
