/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions of the namer to cpctl, for data that the namer may not access itself. */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * ask_memory() - read bytes of the slave's memory
 * @size: the maximum number of bytes
 *
 * Return: the number of bytes read at @addr, or 0 if the first word is missing.
 */
size_t ask_memory(uint64_t addr, void *to, size_t size);

/* ask_all_memory() - read exactly @size bytes; false if some are missing */
bool ask_all_memory(uint64_t addr, void *to, size_t size);

/* ask_mapped() - a descriptor of the file that is mapped at @start, or -1 */
int ask_mapped(uint64_t start);

/* ask_debuginfod() - a descriptor of a server's debug file for a build id, or -1 */
int ask_debuginfod(const void *id, size_t size);

/* ask_to_warn() - report that @path is not the file that was mapped */
void ask_to_warn(const char *path);

#endif /* ASK_H */
