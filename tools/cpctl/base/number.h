/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers on the command line. The text consists of decimal digits only: without
 * a sign, blanks, or anything after the number. Each function returns false if the
 * text is not such a number or the number is out of range.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* parse_number() - a number from 0 */
bool parse_number(const char *text, uint64_t *number);

/* parse_count() - a number from 1 */
bool parse_count(const char *text, uint64_t *count);

/* parse_pid() - a process or thread id */
bool parse_pid(const char *text, pid_t *pid);

/* parse_bytes() - bytes; K, M or G after the number means KiB, MiB or GiB */
bool parse_bytes(const char *text, uint64_t *bytes);

/* parse_seconds() - seconds with up to nine decimals, converted to nanoseconds */
bool parse_seconds(const char *text, int64_t *nanoseconds);

#endif /* NUMBER_H */
