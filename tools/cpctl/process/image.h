/* SPDX-License-Identifier: GPL-2.0-only */
/* A process at one instant, with all its memory: of a snapshot, or while it is held. */
#ifndef IMAGE_H
#define IMAGE_H

#include <checkpoint.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instant.h"
#include "pages.h"

/*
 * struct area - a mapping of the process
 * @start: its first address
 * @end: the address after its last
 * @offset: the offset in its file of its first byte
 * @flags: CP_MAPPING_*
 * @file: whether it is of a file, which may be deleted
 * @deleted: whether the file has no name any more
 * @huge: whether its pages are those of hugetlbfs
 * @vdso: whether it is the vDSO
 * @lost: whether its memory is neither in the snapshot nor in @kept of the image
 */
struct area {
	uint64_t	start;
	uint64_t	end;
	uint64_t	offset;
	uint32_t	flags;
	bool		file;
	bool		deleted;
	bool		huge;
	bool		vdso;
	bool		lost;
};

/*
 * struct image - the process; all zero at first, except @mem
 * @instant: its threads
 * @maps: its mappings, in the format of /proc/PID/maps
 * @nr: number of @areas
 * @areas: its mappings, by ascending address
 * @snap: its private memory; NULL if all memory is read from @mem
 * @mem: the open file /proc/PID/mem; -1 if there is none. The image does not own it
 * @pagemap: the open file /proc/PID/pagemap, to skip what does not exist; or -1
 * @kept: pages that @snap lacks, read while the process was held
 */
struct image {
	struct instant	instant;
	char		*maps;
	size_t		nr;
	struct area	*areas;
	struct cp_snap	*snap;
	int		mem;
	int		pagemap;
	struct pages	kept;
};

/* image_of_snap() - make the image of a snapshot, which it then owns; 0, or -1: ENOMEM */
int image_of_snap(struct image *image, struct cp_snap *snap);

/*
 * image_of_smaps() - make the mappings of a process that is held
 * @smaps: the text of /proc/PID/smaps
 *
 * Return: 0, or -1 with errno ENOMEM.
 */
int image_of_smaps(struct image *image, const char *smaps);

/* area_in_snap() - does the snapshot of @image hold the memory of @area? */
bool area_in_snap(const struct image *image, const struct area *area);

/*
 * image_read() - read memory
 * @area: the mapping that contains all of it
 *
 * Return: number of bytes up to the first one that cannot be read; 0 for none, -1 with
 * errno if the memory is lost: ENODATA if the snapshot was dropped, ESRCH if the process
 * has ended.
 */
ssize_t image_read(const struct image *image, const struct area *area,
		   uint64_t addr, void *to, size_t size);

/*
 * image_next() - the first page from @addr on that may be other than zeroes
 *
 * Return: its address, or @area->end if there is none.
 */
uint64_t image_next(const struct image *image, const struct area *area,
		    uint64_t addr);

/* image_free() - free all but the open files */
void image_free(struct image *image);

#endif /* IMAGE_H */
