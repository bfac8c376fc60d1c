// SPDX-License-Identifier: GPL-2.0-only
/* A stream to a terminal, whose lines are folded to its width. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "folded.h"
#include "width.h"

/*
 * struct folded - the state of a folding stream
 * @out: the terminal
 * @indent: the indentation of the second and later parts of a broken line
 * @line: the current line, which has no newline yet
 * @len: its length
 */
struct folded {
	FILE		*out;
	unsigned int	indent;
	char		*line;
	size_t		len;
};

/* The width is read for each line because the user may resize the terminal. */
static void print_line(struct folded *folded)
{
	unsigned int columns = width_of(folded->out);

	if (columns)
		width_fold(folded->out, folded->line, folded->len, columns,
			   folded->indent);
	else
		fwrite(folded->line, 1, folded->len, folded->out);
	folded->len = 0;
}

static bool append(struct folded *folded, const char *text, size_t len)
{
	char *line = realloc(folded->line, folded->len + len + 1);

	if (!line)
		return false;
	memcpy(line + folded->len, text, len);
	folded->line = line;
	folded->len += len;
	return true;
}

/* The write function for fopencookie(3). */
static ssize_t on_write(void *cookie, const char *text, size_t size)
{
	struct folded *folded = cookie;
	size_t left = size;

	while (left) {
		const char *end = memchr(text, '\n', left);
		size_t len = end ? (size_t)(end - text) : left;

		if (ferror(folded->out) || !append(folded, text, len))
			return 0;
		if (end) {
			print_line(folded);
			fputc('\n', folded->out);
			len++;
		}
		text += len;
		left -= len;
	}
	return (ssize_t)size;
}

static int on_close(void *cookie)
{
	struct folded *folded = cookie;

	if (folded->len)
		print_line(folded);
	free(folded->line);
	free(folded);
	return 0;
}

FILE *folded_open(FILE *out, unsigned int indent)
{
	const cookie_io_functions_t functions = {
		.write = on_write,
		.close = on_close,
	};
	struct folded *folded;
	FILE *stream;

	if (!width_of(out))
		return out;
	folded = calloc(1, sizeof(*folded));
	if (!folded)
		return out;
	folded->out = out;
	folded->indent = indent;
	stream = fopencookie(folded, "w", functions);
	if (!stream) {
		free(folded);
		return out;
	}
	setvbuf(stream, NULL, _IOLBF, 0);
	return stream;
}

void folded_close(FILE *folded, FILE *out)
{
	if (folded != out)
		fclose(folded);
}
