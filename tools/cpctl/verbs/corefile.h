/* SPDX-License-Identifier: GPL-2.0-only */
/* The file that cpctl dump writes. */
#ifndef COREFILE_H
#define COREFILE_H

#include "core.h"
#include "options.h"
#include "wholefile.h"

/*
 * struct corefile - the file
 * @path: its path; "-" for the standard output
 * @file: the file, once it is open
 * @out: what is written to it
 * @written: whether the whole core has been written
 * @size: the size of the core, without compression
 * @stored: how much of it takes space on the disk, or has been written elsewhere
 */
struct corefile {
	const char		*path;
	struct wholefile	file;
	struct coreout		out;
	bool			written;
	uint64_t		size;
	uint64_t		stored;
};

/* corefile_refuses() - is there no core of 32-bit code? Prints so if there is not. */
bool corefile_refuses(const struct instant *instant, pid_t pid);

/*
 * corefile_first() - the index of the thread that debuggers show first
 * @first: the thread that the user has given
 *
 * A thread that has died of a signal comes before it.
 */
unsigned int corefile_first(const struct instant *instant, pid_t first);

/*
 * corefile_order() - the threads of a core: that number @first, and the others in their order
 *
 * Return: the threads, to be freed by the caller; NULL after printing the reason.
 */
const struct snapshot **corefile_order(const struct instant *instant,
				       unsigned int first);

/*
 * corefile_name() - the default name of the core of a process, or of a recording
 * @file: the recording, or NULL
 *
 * Return: the name, to be freed by the caller; NULL after printing the reason.
 */
char *corefile_name(const char *file, pid_t pid, const struct options *options);

/* corefile_open() - open it; false after printing the reason */
bool corefile_open(struct corefile *file, const char *path,
		   const struct options *options);

/* corefile_write() - write the core; false with errno, and without a message */
bool corefile_write(struct corefile *file, const struct corestate *state,
		    const struct identity *identity);

/*
 * corefile_close() - give the file its name if it is complete, or else remove it
 *
 * Return: an exit status.
 */
int corefile_close(struct corefile *file);

#endif /* COREFILE_H */
