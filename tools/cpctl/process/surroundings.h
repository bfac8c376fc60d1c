/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Data of the slave that a checkpoint does not contain, but that is needed to
 * interpret one: the slave's mappings and files, and some of its other memory.
 *
 * All of this is read while the slave continues, so it is not from the instant of the
 * checkpoint.
 */
#ifndef SURROUNDINGS_H
#define SURROUNDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pages.h"

/*
 * struct surroundings - the surroundings of a process
 * @pid: the process or thread; 0 for a recording
 * @uid: the file system user id of the process; for a recording, the file's owner
 * @gid: likewise the group id
 * @root: the root directory of the process, in which the paths of its files are
 *	resolved, even for a process in a container and after the end of the process
 * @mem: the open file /proc/PID/mem; -1 if it cannot be read
 * @maps: the text of /proc/PID/maps; NULL if it could not be read
 * @time: CLOCK_MONOTONIC before @maps was read, in nanoseconds
 * @pages: the pages that have been read from @mem since the last refresh
 * @kept: the pages of surroundings_keep(), for those that @mem does not have any more
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
 * struct stretch - consecutive pages of a process; all zero at first
 * @addr: the address of the first page
 * @size: the size in bytes, a multiple of that of a page
 * @bytes: the bytes, from malloc(3)
 */
struct stretch {
	uint64_t	addr;
	size_t		size;
	unsigned char	*bytes;
};

/* surroundings_open() - open those of a living process, without mappings and pages */
void surroundings_open(struct surroundings *around, pid_t pid);

/*
 * surroundings_refresh() - read the mappings again, and forget the pages
 *
 * The caller does this once per checkpoint, immediately after it. If the process has
 * ended or runs another program, the mappings and pages are kept.
 */
void surroundings_refresh(struct surroundings *around);

/*
 * surroundings_alive() - does the memory of surroundings_open() still exist?
 *
 * It does not after the end of the process, nor after an exec.
 */
bool surroundings_alive(const struct surroundings *around);

/*
 * surroundings_keep() - prepare for the end of the process
 *
 * This function keeps the vDSO and the pages that have been read since the last
 * refresh, for later reads of memory that does not exist any more.
 */
void surroundings_keep(struct surroundings *around);

/* surroundings_inherit() - move the pages that @early has read to @around->kept */
void surroundings_inherit(struct surroundings *around,
			  struct surroundings *early);

/* surroundings_maps() - read the current mappings; NULL if the memory is gone */
char *surroundings_maps(const struct surroundings *around);

/* surroundings_replace() - set @around->maps to *@maps, and *@maps to NULL */
void surroundings_replace(struct surroundings *around, char **maps);

/*
 * surroundings_stretch() - read pages, beginning with that of @addr
 * @max: the maximum number of bytes
 * @stretch: receives the pages up to the first one that cannot be read
 */
void surroundings_stretch(const struct surroundings *around, uint64_t addr,
			  size_t max, struct stretch *stretch);

/* surroundings_add() - add the pages of @stretch to @around->pages */
void surroundings_add(struct surroundings *around,
		      const struct stretch *stretch);

/* surroundings_page() - the page that begins at @addr, or NULL */
const unsigned char *surroundings_page(struct surroundings *around,
				       uint64_t addr);

/* surroundings_read() - read @len bytes of memory; false if some are missing */
bool surroundings_read(struct surroundings *around, uint64_t addr, void *to,
		       size_t len);

/*
 * surroundings_mapped() - open the file that is mapped at @start
 *
 * The file may be deleted or replaced. Opening it through /proc/PID/map_files requires
 * a privilege.
 *
 * Return: a descriptor of a regular file, or -1.
 */
int surroundings_mapped(const struct surroundings *around, uint64_t start);

/* surroundings_close() - close the files, and free the mappings and pages */
void surroundings_close(struct surroundings *around);

#endif /* SURROUNDINGS_H */
