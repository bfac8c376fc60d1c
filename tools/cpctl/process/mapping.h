/* SPDX-License-Identifier: GPL-2.0-only */
/* The mappings of a process, from the text of /proc/PID/maps. */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct mapping - a line of that text
 * @start: its first address
 * @end: the address after its last
 * @offset: where in the file it begins
 * @write: may be written to
 * @exec: may be executed
 * @path: its file as the kernel writes it, see mapping_path(), or a name in
 *	brackets; not terminated, points into the text
 * @path_len: length of @path; 0 when it has none
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
 * @text: where to read; is moved after the mapping. NULL is allowed
 *
 * Return: false at the end of the text, and where the text has another form.
 */
bool mapping_next(const char **text, struct mapping *mapping);

/*
 * mapping_path() - the path of a mapping's file, as the file system has it
 * @path, @len: of struct mapping
 *
 * The kernel writes a newline as \012, and a backslash as it is: a file whose name
 * has these four characters cannot be told from one with a newline.
 *
 * Return: to be freed; NULL without memory.
 */
char *mapping_path(const char *path, size_t len);

/* mapping_escaped() - the reverse; to be freed */
char *mapping_escaped(const char *path);

/* mapping_is_file() - is it of a file, be it deleted? */
bool mapping_is_file(const struct mapping *mapping);

/* mapping_is() - has it just this path? */
bool mapping_is(const struct mapping *mapping, const char *path);

/* mapping_same_path() - have both the same path, and one at all? */
bool mapping_same_path(const struct mapping *a, const struct mapping *b);

#endif /* MAPPING_H */
