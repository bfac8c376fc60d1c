/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a verb prints to: the standard output, or a file. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/* output_guard() - keep the numbers of closed standard streams from other files */
void output_guard(void);

/*
 * output_check() - can anything be printed at all?
 * @path: as of output_open()
 *
 * For a verb to call before it does anything: what would print nothing, or hold a
 * process first, must fail too when standard output is closed.
 *
 * Return: EXIT_OK, or EXIT_REFUSED after saying why not.
 */
int output_check(const char *path);

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
 * output_flush() - write all that was printed
 *
 * After an interruption, what cannot be written at once is dropped. Return: an exit
 * status, after saying what went wrong.
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
