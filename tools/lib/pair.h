/* SPDX-License-Identifier: LGPL-2.1-only */
/* The inside of a handle. */
#ifndef _PAIR_H
#define _PAIR_H

#include "checkpoint.h"

#define CP_HIDDEN __attribute__((visibility("hidden")))

/*
 * struct cp_pair - one open file of the device
 * @fd: the file
 * @owner: the process that has mapped the region
 * @region: the region of the pair, or of the last one; NULL before
 * @region_size: its size
 * @slot: where in the region the last checkpoint lies; 0 when there is none,
 *	as the region's head lies there
 * @missed: as CP_IOC_GET gave it
 * @reason: as CP_IOC_GET gave it
 * @status: as CP_IOC_GET gave it
 */
struct cp_pair {
	int		fd;
	pid_t		owner;
	void		*region;
	size_t		region_size;
	uint64_t	slot;
	uint64_t	missed;
	unsigned int	reason;
	int		status;
};

/*
 * cp_pair_note() - keep the outcome of a CP_IOC_GET that returned @ret
 *
 * Apart from the call itself, so that the call can be made without a lock. The
 * call's errno must still be there, and stays.
 */
CP_HIDDEN void cp_pair_note(struct cp_pair *pair, const struct cp_get *get,
			    int ret);

/*
 * cp_pair_find() - find memory of the slave in the last checkpoint
 * @left: receives the number of bytes saved from @addr on
 *
 * Return: where the copy of @addr lies, or NULL.
 */
CP_HIDDEN const void *cp_pair_find(const struct cp_pair *pair, uint64_t addr,
				   size_t *left);

#endif /* _PAIR_H */
