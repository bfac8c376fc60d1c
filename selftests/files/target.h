/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by libFuzzer's targets: an input as a file that can be opened. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* LLVMFuzzerTestOneInput() - libFuzzer calls it with each input */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* LLVMFuzzerInitialize() - libFuzzer calls it once, before the first input */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/*
 * target_write() - write an input to the file
 * @bytes: the input
 * @size: number of bytes
 * @records: compress the bytes, which are the records of a recording
 */
void target_write(const void *bytes, size_t size, bool records);

/* target_path() - the path of the file */
const char *target_path(void);

#endif /* TARGET_H */
