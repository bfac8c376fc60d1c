/* SPDX-License-Identifier: GPL-2.0-only */
/* Separate files of debug information. Runs in the namer. */
#ifndef DEBUGFILE_H
#define DEBUGFILE_H

#include <elfutils/libdwfl.h>

/*
 * debugfile_find() - open the debug file of a module without debug information
 * @file: the path of the module's file
 * @link: the file name in its .gnu_debuglink, or NULL
 * @crc: the checksum in its .gnu_debuglink
 * @name: receives a name, from malloc(3)
 *
 * The file is searched for by the build id, under the slave's root directory and then
 * under cpctl's; by @link, in the directory of @file, in its subdirectory .debug and in
 * /usr/lib/debug; and, if DEBUGINFOD_URLS is set, on a server.
 *
 * Return: a descriptor, or -1.
 */
int debugfile_find(struct Dwfl_Module *module, const char *file,
		   const char *link, GElf_Word crc, char **name);

#endif /* DEBUGFILE_H */
