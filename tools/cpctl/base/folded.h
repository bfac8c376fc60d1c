/* SPDX-License-Identifier: GPL-2.0-only */
/* A stream to a terminal, whose lines are folded to its width. */
#ifndef FOLDED_H
#define FOLDED_H

#include <stdio.h>

/*
 * folded_open() - get such a stream
 * @out: where its lines are printed; must not be closed before it
 * @indent: of the lines after the first into which one is broken
 *
 * Return: @out itself, if it is not a terminal or without memory.
 */
FILE *folded_open(FILE *out, unsigned int indent);

/* folded_close() - print what is left; @out: as of folded_open() */
void folded_close(FILE *folded, FILE *out);

#endif /* FOLDED_H */
