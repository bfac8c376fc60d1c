/* SPDX-License-Identifier: GPL-2.0-only */
/* How large an ELF file becomes when it is read. In the namer. */
#ifndef INFLATED_H
#define INFLATED_H

#include <stdint.h>

/* More than this is left compressed, and not read. */
#define INFLATED_MAX (512UL << 20)

/* inflated_size() - what its compressed sections decompress to, in bytes */
uint64_t inflated_size(int fd);

#endif /* INFLATED_H */
