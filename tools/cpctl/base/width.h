/* SPDX-License-Identifier: GPL-2.0-only */
/* The width of a terminal, and of text on it. */
#ifndef WIDTH_H
#define WIDTH_H

#include <stddef.h>
#include <stdio.h>

/*
 * width_of() - the width of the terminal @file, in columns
 *
 * Return: 0, which means no limit, if @file is not a terminal, or if the terminal
 * does not know its size and COLUMNS is not set.
 */
unsigned int width_of(FILE *file);

/*
 * width_fit() - the length of the part of a line that fits
 * @text: printable text, see print_name(), and escape sequences of struct style
 * @len: the length of @text in bytes
 * @columns: the available columns; reduced by those of the part
 *
 * Return: the length of the part in bytes, which ends between two characters.
 */
size_t width_fit(const char *text, size_t len, unsigned int *columns);

/* width_text() - the width of a text in columns */
unsigned int width_text(const char *text);

/*
 * width_print() - print the part of @text that fits in @columns
 *
 * A plus sign at the end shows that text was cut off.
 */
void width_print(FILE *out, const char *text, unsigned int columns);

/*
 * width_fold() - print a line as several lines that fit in @columns
 * @line, @len: the line, without its newline
 * @indent: the indentation of the lines after the first
 *
 * The line is broken at blanks, if there are any. A newline is printed between two
 * lines, but not after the last one.
 */
void width_fold(FILE *out, const char *line, size_t len, unsigned int columns,
		unsigned int indent);

#endif /* WIDTH_H */
