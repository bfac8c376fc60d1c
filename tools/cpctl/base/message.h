/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages: warn() and warnx() as err(3) describes them.
 *
 * They replace the functions of the C library because a message may contain the
 * name of a process or a file: here, print_name() escapes the whole message.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdarg.h>

/* warnx() - print "cpctl: ", the message and a newline on the standard error */
void warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* warn() - like warnx(), with the text of errno after the message */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * message_print() - print a message
 * @who: the name before the colon: that of the program
 * @fmt: the message, as for vprintf(3)
 * @args: the arguments of @fmt
 * @why: the cause, printed after a second colon; NULL if @fmt contains the cause
 */
void message_print(const char *who, const char *fmt, va_list args,
		   const char *why) __attribute__((format(printf, 2, 0)));

#endif /* MESSAGE_H */
