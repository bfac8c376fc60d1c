/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening files whose paths come from a slave or from one of the slave's files. */
#ifndef SAFEOPEN_H
#define SAFEOPEN_H

/*
 * safeopen() - open a regular file for reading
 * @root: the slave's root directory, in which @path is resolved; neither ".." nor a
 *	symbolic link leads out of it
 * @path: the path of the file
 *
 * This function refuses anything but a regular file before opening it: opening a
 * FIFO may block forever, and opening a device calls its driver.
 *
 * Return: a descriptor, or -1 with errno.
 */
int safeopen(int root, const char *path);

/* safeopen_link() - like safeopen(), for a link of /proc such as /proc/PID/exe */
int safeopen_link(const char *link);

#endif /* SAFEOPEN_H */
