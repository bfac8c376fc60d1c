/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing all bytes of a buffer. */
#ifndef WRITEALL_H
#define WRITEALL_H

#include <stdbool.h>
#include <stddef.h>

/* writeall() - write @size bytes, even if signals interrupt that; 0, or -1 with errno */
int writeall(int fd, const void *bytes, size_t size);

/*
 * writeall_unless() - writeall(), which @stop can end, with EINTR
 * @stop: called before each attempt; returns whether to stop. NULL: never
 */
int writeall_unless(int fd, const void *bytes, size_t size, bool (*stop)(void));

#endif /* WRITEALL_H */
