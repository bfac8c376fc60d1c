/* SPDX-License-Identifier: GPL-2.0-only */
/* What libFuzzer's targets share: an input, as a file that can be opened. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* LLVMFuzzerTestOneInput() - libFuzzer calls it with each input */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* LLVMFuzzerInitialize() - and this one first */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/*
 * target_write() - have a file hold these bytes
 * @records: they are the records of a recording, which are to be compressed
 */
void target_write(const void *bytes, size_t size, bool records);

/* target_path() - the file's name */
const char *target_path(void);

#endif /* TARGET_H */
