// SPDX-License-Identifier: GPL-2.0-only
/* Messages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "text.h"

void message_print(const char *who, const char *fmt, va_list args,
		   const char *why)
{
	char *text, *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	if (out) {
		print_name(out, who);
		fputs(": ", out);
		print_name(out, text ? text : "out of memory");
		if (why) {
			fputs(": ", out);
			print_name(out, why);
		}
		fputc('\n', out);
		fclose(out);
	}
	/* One write: other processes may write to the same terminal or file. */
	fputs(line ? line : "out of memory\n", stderr);
	free(line);
	free(text);
}

void warnx(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message_print(program_invocation_short_name, fmt, args, NULL);
	va_end(args);
}

void warn(const char *fmt, ...)
{
	const char *why = strerror(errno);
	va_list args;

	va_start(args, fmt);
	message_print(program_invocation_short_name, fmt, args, why);
	va_end(args);
}
