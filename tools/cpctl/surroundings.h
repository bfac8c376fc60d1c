/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a checkpoint does not hold, and what it takes to make sense of one: the
 * slave's mappings and files, and some of its other memory.
 *
 * All of it is read while the slave goes on, so it is not from the instant of
 * the checkpoint.
 */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pages.h"

/*
 * struct surroundings - of a process
 * @pid: the process or thread; 0 when it is one of a recording
 * @uid: whose rights it has where files are concerned; of a recording, its owner
 * @gid: likewise
 * @root: its root directory: paths of its files mean what they mean to it,
 *	also when it lives in a container, and also after its end
 * @mem: its memory, /proc/PID/mem; -1 when it cannot be read
 * @maps: the text of /proc/PID/maps; NULL when it could not be read
 * @time: CLOCK_MONOTONIC when that began to be read, nanoseconds
 * @pages: what has been read of @mem, and is not read again
 */
struct surroundings {
	pid_t		pid;
	uid_t		uid;
	gid_t		gid;
	int		root;
	int		mem;
	char		*maps;
	uint64_t	time;
	struct pages	pages;
};

/* surroundings_open() - those of a living process; for now, they are empty */
void surroundings_open(struct surroundings *around, pid_t pid);

/*
 * surroundings_refresh() - look anew at a process that has gone on
 *
 * To be called once per checkpoint, right after it. The mappings of a process
 * that is gone are kept.
 */
void surroundings_refresh(struct surroundings *around);

/* surroundings_page() - the page at @addr, its beginning; or NULL */
const unsigned char *surroundings_page(struct surroundings *around,
				       uint64_t addr);

/* surroundings_read() - @len bytes of memory; false when some are missing */
bool surroundings_read(struct surroundings *around, uint64_t addr, void *to,
		       size_t len);

/*
 * surroundings_mapped() - open the file that is mapped at @start
 *
 * It may be deleted, or replaced. It takes a privilege to reach it by its mapping.
 *
 * Return: a descriptor of a regular file, or -1.
 */
int surroundings_mapped(const struct surroundings *around, uint64_t start);

/* surroundings_close() - free all */
void surroundings_close(struct surroundings *around);

#endif /* SURROUNDINGS_H */
