/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing all bytes of a buffer. */
#ifndef WRITEALL_H
#define WRITEALL_H

#include <stddef.h>

/* writeall() - write @size bytes, even if signals interrupt that; 0, or -1 with errno */
int writeall(int fd, const void *bytes, size_t size);

#endif /* WRITEALL_H */
