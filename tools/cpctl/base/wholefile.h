/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that appears whole or not at all. */
#ifndef WHOLEFILE_H
#define WHOLEFILE_H

#include <stdbool.h>

/*
 * struct wholefile - a file being written
 * @path: its final name; "-": its bytes go to the standard output
 * @temporary: its current name; NULL while it has none
 * @fd: where to write
 */
struct wholefile {
	const char	*path;
	char		*temporary;
	int		fd;
};

/*
 * wholefile_open() - begin
 * @keep_part: a part of the file is worth having: if cpctl is killed, the part
 *	stays under a temporary name. Else nothing is left where the file system
 *	has O_TMPFILE.
 *
 * Only its owner may read it. It replaces another file or symbolic link of that
 * name, but nothing else.
 *
 * Return: 0, or -1 with errno; EEXIST when @path is not a file.
 */
int wholefile_open(struct wholefile *file, const char *path, bool keep_part);

/* wholefile_diagnose() - say why wholefile_open() has failed, by errno */
void wholefile_diagnose(const char *path);

/*
 * wholefile_show() - give it its name now, before it is complete
 *
 * Return: 0, or -1 with errno.
 */
int wholefile_show(struct wholefile *file);

/*
 * wholefile_keep() - it is whole: give it its name
 *
 * Return: 0, or -1 with errno when it could not be kept.
 */
int wholefile_keep(struct wholefile *file);

/*
 * wholefile_keep_part() - it will not be whole, but some of it is worth having
 *
 * Return: 0, or -1 with errno when it could not be kept.
 */
int wholefile_keep_part(struct wholefile *file);

/* wholefile_drop() - it will not be whole: leave nothing behind */
void wholefile_drop(struct wholefile *file);

#endif /* WHOLEFILE_H */
