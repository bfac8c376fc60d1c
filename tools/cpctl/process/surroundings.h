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
 * @kept: what had been read at surroundings_keep(), for what cannot be read any
 *	more
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
	struct pages	kept;
};

/*
 * struct stretch - some memory of a process; zero it to begin with
 * @addr: where it begins, a page's beginning
 * @size: its length, whole pages
 * @bytes: its bytes, from malloc(3)
 */
struct stretch {
	uint64_t	addr;
	size_t		size;
	unsigned char	*bytes;
};

/* surroundings_open() - those of a living process; for now, they are empty */
void surroundings_open(struct surroundings *around, pid_t pid);

/*
 * surroundings_refresh() - look anew at a process that has gone on
 *
 * To be called once per checkpoint, right after it. What was known of a process
 * that is gone, or runs another program, stays.
 */
void surroundings_refresh(struct surroundings *around);

/*
 * surroundings_alive() - has the process the memory that it had when these
 * were opened? Not after its end, nor after an exec.
 */
bool surroundings_alive(const struct surroundings *around);

/*
 * surroundings_keep() - be ready for the process's end
 *
 * The vDSO, and the pages that have been read since the last refresh, serve
 * from now on where memory cannot be read any more.
 */
void surroundings_keep(struct surroundings *around);

/* surroundings_inherit() - the same with the pages that @early has read of it */
void surroundings_inherit(struct surroundings *around,
			  struct surroundings *early);

/* surroundings_maps() - its mappings now, from malloc(3); NULL if it is gone */
char *surroundings_maps(const struct surroundings *around);

/* surroundings_replace() - its mappings are @maps, which is NULL then */
void surroundings_replace(struct surroundings *around, char **maps);

/*
 * surroundings_stretch() - read the pages from that of @addr on
 * @max: how many bytes at most
 * @stretch: receives them, as far as they are there
 */
void surroundings_stretch(const struct surroundings *around, uint64_t addr,
			  size_t max, struct stretch *stretch);

/* surroundings_add() - what is in @stretch is not read again */
void surroundings_add(struct surroundings *around,
		      const struct stretch *stretch);

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
