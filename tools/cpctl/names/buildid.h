/* SPDX-License-Identifier: GPL-2.0-only */
/* Checking whether an ELF file is the one that was mapped, by its build id. */
#ifndef BUILDID_H
#define BUILDID_H

#include <stdbool.h>

/*
 * buildid_differs() - compare the build id of a file with that of a mapping
 * @fd: the file
 * @page: the first page of the mapping, or NULL if it is not known
 *
 * Return: true if the mapping has a build id and the file does not have the same one.
 * A mapping without a build id may be of any file.
 */
bool buildid_differs(int fd, const unsigned char *page);

#endif /* BUILDID_H */
