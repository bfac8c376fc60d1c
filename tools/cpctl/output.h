/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a verb prints to: the standard output, or a file. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/*
 * output_open() - begin to print
 * @path: a file; NULL or "-" for the standard output
 *
 * A file appears as struct wholefile describes it: when it is closed, readable by
 * its owner only, in place of what had that name. A device is written directly.
 *
 * Return: NULL after saying what went wrong.
 */
FILE *output_open(const char *path);

/*
 * output_flush() - see to it that all has arrived
 *
 * Return: an exit status, after saying what went wrong.
 */
int output_flush(FILE *out);

/*
 * output_close() - end it
 * @status: the exit status so far
 *
 * Return: the exit status.
 */
int output_close(FILE *out, const char *path, int status);

#endif /* OUTPUT_H */
