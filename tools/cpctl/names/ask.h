/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions of the namer to cpctl, which may do what the namer may not. */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * ask_memory() - bytes of the slave's memory
 * @size: most of them
 *
 * Return: how many were read, from @addr on; 0 when the first word is missing.
 */
size_t ask_memory(uint64_t addr, void *to, size_t size);

/* ask_all_memory() - the same for all of them; false when one is missing */
bool ask_all_memory(uint64_t addr, void *to, size_t size);

/* ask_mapped() - the file that is mapped at @start, or -1 */
int ask_mapped(uint64_t start);

/* ask_debuginfod() - the debug file of a build id from a server, or -1 */
int ask_debuginfod(const void *id, size_t size);

/* ask_to_warn() - say that @path is not the file that was mapped */
void ask_to_warn(const char *path);

#endif /* ASK_H */
