/* SPDX-License-Identifier: GPL-2.0-only */
/* Separate files of debug information. In the namer. */
#ifndef DEBUGFILE_H
#define DEBUGFILE_H

#include <elfutils/libdwfl.h>

/*
 * debugfile_find() - the debug information of a module that has none itself
 * @file: the module's file
 * @link: what its .gnu_debuglink says, or NULL
 * @crc: likewise
 * @name: receives a name, from malloc(3)
 *
 * By the build id under the slave's root directory and under cpctl's; by @link
 * beside the file, in .debug, and in /usr/lib/debug; and, if DEBUGINFOD_URLS is
 * set, from a server.
 *
 * Return: a descriptor, or -1.
 */
int debugfile_find(struct Dwfl_Module *module, const char *file,
		   const char *link, GElf_Word crc, char **name);

#endif /* DEBUGFILE_H */
