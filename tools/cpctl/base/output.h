/* SPDX-License-Identifier: GPL-2.0-only */
/* The output of a verb: the standard output, or a file. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/* output_guard() - keep the numbers of closed standard streams from other files */
void output_guard(void);

/*
 * output_check() - check that the output can be written
 * @path: as for output_open()
 *
 * Each verb calls this function before it does anything: with a closed standard
 * output, a verb must fail before it holds a process, and even if it would print
 * nothing.
 *
 * Return: EXIT_OK, or EXIT_REFUSED after printing the reason.
 */
int output_check(const char *path);

/*
 * output_open() - open the output
 * @path: a file; NULL or "-" for the standard output
 *
 * A file gets its name when it is closed, is readable by its owner only, and replaces
 * a file of the same name: see wholefile.h. A device is written directly.
 *
 * Return: NULL after printing the reason.
 */
FILE *output_open(const char *path);

/*
 * output_flush() - write the buffered output
 *
 * After an interruption, output that cannot be written without waiting is dropped.
 * Return: EXIT_OK, or EXIT_REFUSED after printing the reason.
 */
int output_flush(FILE *out);

/*
 * output_close() - close the output
 * @status: the exit status so far
 *
 * Return: the exit status.
 */
int output_close(FILE *out, const char *path, int status);

#endif /* OUTPUT_H */
