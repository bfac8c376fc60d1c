/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages: warn() and warnx() as err(3) describes them.
 *
 * They take the place of the C library's, because a message may hold the name of
 * a process or a file: print_name() prints the whole of it.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdarg.h>

/* warnx() - print "cpctl: ", the message and a newline on the standard error */
void warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* warn() - the same, and what errno means behind the message */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * message_print() - print a message
 * @who: who says it
 * @fmt: what it says
 * @args: for @fmt
 * @why: what caused it; NULL when @fmt says that
 */
void message_print(const char *who, const char *fmt, va_list args,
		   const char *why) __attribute__((format(printf, 2, 0)));

#endif /* MESSAGE_H */
