/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that appears whole or not at all. */
#ifndef WHOLEFILE_H
#define WHOLEFILE_H

#include <stdbool.h>

/*
 * struct wholefile - a file being written
 * @path: the final name; "-" for the standard output
 * @temporary: the current name; NULL while the file has no name
 * @fd: the descriptor to write to
 */
struct wholefile {
	const char	*path;
	char		*temporary;
	int		fd;
};

/*
 * wholefile_open() - begin to write a file
 * @keep_part: whether a part of the file is useful. If so, a killed cpctl leaves
 *	the part under a temporary name; else it leaves nothing if the file system
 *	supports O_TMPFILE.
 *
 * The file can be read by its owner only. It replaces a regular file or a symbolic
 * link of the same name, but nothing else. What is written to the standard output
 * cannot be dropped.
 *
 * Return: 0, or -1 with errno; EEXIST when @path is not a file.
 */
int wholefile_open(struct wholefile *file, const char *path, bool keep_part);

/* wholefile_diagnose() - print why wholefile_open() failed, according to errno */
void wholefile_diagnose(const char *path);

/*
 * wholefile_show() - give the file its final name now, before it is complete
 *
 * Return: 0, or -1 with errno.
 */
int wholefile_show(struct wholefile *file);

/*
 * wholefile_keep() - give the complete file its final name
 *
 * Return: 0, or -1 with errno when the file could not be kept.
 */
int wholefile_keep(struct wholefile *file);

/*
 * wholefile_keep_part() - give the incomplete file its final name
 *
 * Return: 0, or -1 with errno when the file could not be kept.
 */
int wholefile_keep_part(struct wholefile *file);

/* wholefile_drop() - remove the incomplete file */
void wholefile_drop(struct wholefile *file);

#endif /* WHOLEFILE_H */
