/* SPDX-License-Identifier: GPL-2.0-only */
/* Text that others have chosen, and figures for people. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A process chooses its own name, the names of its files and those of its
 * functions. In what cpctl prints they must not command the terminal, look like
 * a line of their own, or hide or reorder what stands next to them. print_name()
 * and text_comm() see to that, and warn() and warnx() for messages; JSON and the
 * metrics for Prometheus have escapes of their own for the same characters.
 */

/*
 * text_char() - the first character of @text
 * @code: set to its code point
 *
 * Return: its length in bytes, or 0 when the first byte begins no UTF-8.
 */
size_t text_char(const char *text, uint32_t *code);

/*
 * text_is_plain() - may a character be printed as it is?
 *
 * Not so: control characters, C1 ones included, and what has no shape of its
 * own: marks of direction, of line ends, and of no width.
 */
bool text_is_plain(uint32_t code);

/* text_plain() - how many bytes of @text, from its beginning, are plain text */
size_t text_plain(const char *text);

/*
 * print_name() - print a name that somebody else has chosen
 *
 * Bytes that are not plain text are printed as \x1b, characters as \u202e or
 * \U000e0001.
 */
void print_name(FILE *out, const char *name);

/* What text_comm() needs for a name of 63 bytes, the longest of /proc. */
#define COMM_TEXT_SIZE (63 * 4 + 3)

/*
 * text_comm() - a process's name, for a line that holds other words, too
 *
 * It is quoted unless it consists of letters, digits and a few marks: an empty
 * name, or one with blanks or parentheses in it, could be taken for something
 * else. In quotes, \ comes before a quote and before another \.
 *
 * The result is in @text, which is also returned.
 */
const char *text_comm(char text[COMM_TEXT_SIZE], const char *comm);

/* Enough for a figure. */
#define FIGURE_SIZE 16

/*
 * figure_bytes() - "17", "4.2K", "380M"
 *
 * The result is in @text, which is also returned.
 */
const char *figure_bytes(char text[FIGURE_SIZE], double bytes);

/* figure_time() - "870ns", "4.20us", "38.1ms", "9.80s", "2h10m" */
const char *figure_time(char text[FIGURE_SIZE], double ns);

/*
 * figure_user() - a user's name, or number
 *
 * The result lasts until the next call.
 */
const char *figure_user(uint32_t uid);

#endif /* TEXT_H */
