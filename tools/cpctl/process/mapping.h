/* SPDX-License-Identifier: GPL-2.0-only */
/* The mappings of a process, from the text of /proc/PID/maps. */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct mapping - a line of /proc/PID/maps
 * @start: its first address
 * @end: the address after its last
 * @offset: the offset in the file of its first byte
 * @write: whether it is writable
 * @exec: whether it is executable
 * @path: the path of its file as the kernel writes it, see mapping_path(), or a name
 *	in brackets; a pointer into the text, without a terminating zero
 * @path_len: length of @path; 0 for a mapping without a name
 */
struct mapping {
	uint64_t	start;
	uint64_t	end;
	uint64_t	offset;
	bool		write;
	bool		exec;
	const char	*path;
	size_t		path_len;
};

/*
 * mapping_next() - read one mapping
 * @text: the position in the text, which may be NULL; moved to the next line
 *
 * Return: false at the end of the text, or if a line has another format.
 */
bool mapping_next(const char **text, struct mapping *mapping);

/*
 * mapping_path() - the path of a mapping's file, without the escapes of the kernel
 * @path, @len: @path and @path_len of struct mapping
 *
 * The kernel writes a newline as \012, but does not escape a backslash: a file whose
 * name contains these four characters cannot be distinguished from one with a newline.
 *
 * Return: the path, to be freed by the caller; NULL without memory.
 */
char *mapping_path(const char *path, size_t len);

/* mapping_escaped() - the reverse of mapping_path(); to be freed by the caller */
char *mapping_escaped(const char *path);

/* mapping_is_file() - is the mapping of a file, which may be deleted? */
bool mapping_is_file(const struct mapping *mapping);

/* mapping_is() - is @path the path of the mapping? */
bool mapping_is(const struct mapping *mapping, const char *path);

/* mapping_same_path() - do both mappings have a path, and the same one? */
bool mapping_same_path(const struct mapping *a, const struct mapping *b);

#endif /* MAPPING_H */
