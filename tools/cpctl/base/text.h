/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that come from other processes, and figures for people. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A process chooses its own name, the names of its files and those of its
 * functions. In the output of cpctl, such a name must not contain commands for the
 * terminal, look like a line of its own, or hide or reorder the text next to it.
 * print_name() and text_comm() escape such characters, and so do warn() and warnx();
 * JSON and the metrics for Prometheus have their own escapes for these characters.
 */

/*
 * text_char() - the first character of @text
 * @code: set to its code point
 *
 * Return: its length in bytes, or 0 if @text does not begin with valid UTF-8.
 */
size_t text_char(const char *text, uint32_t *code);

/*
 * text_is_plain() - may a character be printed without an escape?
 *
 * Return: false for control characters, C1 ones included, and for characters that are
 * not visible: marks of direction, ends of lines, and characters without a width.
 */
bool text_is_plain(uint32_t code);

/* text_plain() - the number of bytes at the beginning of @text that are plain text */
size_t text_plain(const char *text);

/*
 * print_name() - print a name that another process has chosen
 *
 * A byte that is not valid UTF-8, or a control character, is printed like \x1b;
 * other characters that are not plain like \u202e or \U000e0001.
 */
void print_name(FILE *out, const char *name);

/* The buffer of text_comm(), for a name of 63 bytes, the longest one in /proc. */
#define COMM_TEXT_SIZE (63 * 4 + 3)

/*
 * text_comm() - the name of a process, for a line that also contains other words
 *
 * The name is quoted unless it consists of letters, digits and a few marks: an empty
 * name, or one with blanks or parentheses, could be mistaken for other parts of the
 * line. Within quotes, a quote and a backslash are preceded by a backslash.
 *
 * Return: @text, which holds the result.
 */
const char *text_comm(char text[COMM_TEXT_SIZE], const char *comm);

/* The buffer of figure_bytes() and figure_time(). */
#define FIGURE_SIZE 16

/*
 * figure_bytes() - a number of bytes, like "17", "4.2K" or "380M"
 *
 * Return: @text, which holds the result.
 */
const char *figure_bytes(char text[FIGURE_SIZE], double bytes);

/* figure_time() - a time, like "870ns", "4.20us", "38.1ms", "9.80s" or "2h10m" */
const char *figure_time(char text[FIGURE_SIZE], double ns);

/*
 * figure_user() - the name of a user, or the number if the user has no name
 *
 * The result is valid until the next call.
 */
const char *figure_user(uint32_t uid);

#endif /* TEXT_H */
