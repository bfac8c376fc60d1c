/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers on the command line. Digits only: no sign, no blanks, no other
 * bases, nothing behind. False when the text is not such a number or the
 * number is out of range.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A number from 0. */
bool parse_number(const char *text, uint64_t *number);

/* A number from 1. */
bool parse_count(const char *text, uint64_t *count);

/* A process or thread id. */
bool parse_pid(const char *text, pid_t *pid);

/* Bytes; K, M or G behind the number means KiB, MiB or GiB. */
bool parse_bytes(const char *text, uint64_t *bytes);

/* Seconds, with up to nine decimals; gives nanoseconds. */
bool parse_seconds(const char *text, int64_t *nanoseconds);

#endif /* NUMBER_H */
