/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug files from a debuginfod server. */
#ifndef DEBUGINFOD_H
#define DEBUGINFOD_H

#include <stddef.h>

/*
 * debuginfod_find() - fetch the debug file of a build id
 *
 * A child process loads the client library with all its dependencies, and asks the
 * servers. After DEBUGINFOD_SECONDS the child is killed, and no server is asked again.
 *
 * Return: a descriptor of the file, or -1.
 */
int debuginfod_find(const void *id, size_t size);

#endif /* DEBUGINFOD_H */
