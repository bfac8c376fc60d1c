/* SPDX-License-Identifier: GPL-2.0-only */
/* A stream to a terminal, whose lines are folded to its width. */
#ifndef FOLDED_H
#define FOLDED_H

#include <stdio.h>

/*
 * folded_open() - open a stream that prints folded lines to @out
 * @out: the terminal; must stay open until folded_close()
 * @indent: the indentation of the second and later parts of a broken line
 *
 * Return: the stream, or @out itself if @out is not a terminal or memory ran out.
 */
FILE *folded_open(FILE *out, unsigned int indent);

/* folded_close() - print the incomplete last line; @out: as for folded_open() */
void folded_close(FILE *folded, FILE *out);

#endif /* FOLDED_H */
