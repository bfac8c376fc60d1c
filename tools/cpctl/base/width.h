/* SPDX-License-Identifier: GPL-2.0-only */
/* How wide a terminal is, and text on it. */
#ifndef WIDTH_H
#define WIDTH_H

#include <stddef.h>
#include <stdio.h>

/*
 * width_of() - the columns of the terminal that @file is
 *
 * Return: 0 without a limit: for a file that is not a terminal, or a terminal that
 * does not know its size while COLUMNS is not set.
 */
unsigned int width_of(FILE *file);

/*
 * width_fit() - how much of a line fits
 * @text: printable text, see print_name(), and escape sequences of struct style
 * @len: its length in bytes
 * @columns: receives what is left of them
 *
 * Return: the length of the part, in bytes; characters are whole.
 */
size_t width_fit(const char *text, size_t len, unsigned int *columns);

/* width_text() - the columns that a text takes */
unsigned int width_text(const char *text);

/*
 * width_print() - print the part of @text that fits in @columns
 *
 * A plus sign at the end stands for what was cut off.
 */
void width_print(FILE *out, const char *text, unsigned int columns);

/*
 * width_fold() - print a line as several that fit in @columns
 * @line, @len: the line, without its newline
 * @indent: of the lines after the first
 *
 * The line is broken at blanks, where there are any. A newline is printed between
 * lines, but not after the last.
 */
void width_fold(FILE *out, const char *line, size_t len, unsigned int columns,
		unsigned int indent);

#endif /* WIDTH_H */
