// SPDX-License-Identifier: GPL-2.0-only
/* Where a verb prints to: the standard output, or a file. */
#include <stdio_ext.h>

#include "cpctl.h"
#include "interrupt.h"
#include "message.h"
#include "output.h"

FILE *output_open(const char *path)
{
	FILE *out = path ? fopen(path, "we") : stdout;

	if (!out)
		warn("cannot write %s", path);
	return out;
}

int output_flush(FILE *out)
{
	if (!fflush(out) && !ferror(out))
		return EXIT_OK;
	if (interrupted()) {
		/* Nobody may ever read the rest: do not wait for that. */
		__fpurge(out);
		clearerr(out);
		return EXIT_OK;
	}
	warn("cannot print");
	return EXIT_REFUSED;
}

int output_close(FILE *out, const char *path, int status)
{
	if (out != stdout && fclose(out) && status == EXIT_OK) {
		warn("cannot write %s", path);
		return EXIT_REFUSED;
	}
	return status;
}
