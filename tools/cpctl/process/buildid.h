/* SPDX-License-Identifier: GPL-2.0-only */
/* Is this ELF file the one that was mapped? */
#ifndef BUILDID_H
#define BUILDID_H

#include <stdbool.h>

/*
 * buildid_differs() - compare the build id of a file with that of a mapping
 * @fd: the file
 * @page: the mapping's first page, or NULL when that is not known
 *
 * Return: true when the mapping has one and the file has not the same. What
 * has none may be any.
 */
bool buildid_differs(int fd, const unsigned char *page);

#endif /* BUILDID_H */
