/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that appears whole or not at all. */
#ifndef WHOLEFILE_H
#define WHOLEFILE_H

/*
 * struct wholefile - a file being written
 * @path: what it is to be called; "-": its bytes go to the standard output
 * @temporary: what it is called now; NULL when it has no name
 * @fd: where to write
 */
struct wholefile {
	const char	*path;
	char		*temporary;
	int		fd;
};

/*
 * wholefile_open() - begin
 *
 * Only its owner may read it. It takes the place of another file of that name,
 * a symbolic link included; but nothing else than files is replaced.
 *
 * Return: 0, or -1 with errno; EEXIST when @path is no file.
 */
int wholefile_open(struct wholefile *file, const char *path);

/* wholefile_diagnose() - say why wholefile_open() has failed, by errno */
void wholefile_diagnose(const char *path);

/*
 * wholefile_show() - give it its name now, though more is to come
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
