/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug files from a server. */
#ifndef DEBUGINFOD_H
#define DEBUGINFOD_H

#include <stddef.h>

/*
 * debuginfod_find() - the debug file of a build id
 *
 * Its client library, and all that it brings, is loaded by another process, which
 * may take DEBUGINFOD_SECONDS. After one that did, no server is asked again.
 *
 * Return: a descriptor of the file, or -1.
 */
int debuginfod_find(const void *id, size_t size);

#endif /* DEBUGINFOD_H */
