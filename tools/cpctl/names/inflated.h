/* SPDX-License-Identifier: GPL-2.0-only */
/* The size of an ELF file's compressed sections in memory. Runs in the namer. */
#ifndef INFLATED_H
#define INFLATED_H

#include <stdint.h>

/* A file whose sections need more bytes than this is not decompressed. */
#define INFLATED_MAX (512UL << 20)

/* inflated_size() - the size of all its compressed sections after decompression */
uint64_t inflated_size(int fd);

#endif /* INFLATED_H */
