/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening files that a slave, or a file of its, has named. */
#ifndef SAFEOPEN_H
#define SAFEOPEN_H

/*
 * safeopen() - open a regular file for reading
 * @root: the slave's root directory: @path begins there, and neither ".." nor a
 *	symbolic link leads out of it
 * @path: the file
 *
 * Anything but a regular file is refused before it is opened: opening a FIFO may
 * block for ever, opening a device may do anything.
 *
 * Return: a descriptor, or -1 with errno.
 */
int safeopen(int root, const char *path);

/* safeopen_link() - the same by a link of /proc that needs no path lookup */
int safeopen_link(const char *link);

#endif /* SAFEOPEN_H */
