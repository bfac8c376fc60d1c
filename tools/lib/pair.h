/* SPDX-License-Identifier: LGPL-2.1-only */
/* struct cp_pair, which is opaque to callers, and what the library's files share. */
#ifndef _PAIR_H
#define _PAIR_H

#include "checkpoint.h"

#define CP_HIDDEN __attribute__((visibility("hidden")))

/*
 * struct cp_pair - one open file of the device
 * @fd: descriptor of the file
 * @region: region of the current or last pair; NULL before the first
 * @mapped: a page of its own: 1 in the process that mapped @region, 0 in a child, where
 *	fork(2) wipes the page. A call of getpid(2) at each access would cost more than
 *	the access.
 * @region_size: size of @region in bytes
 * @thread_size: size in bytes of each part of @region
 * @slot: offset of the last checkpoint in the region; 0, the offset of the
 *	region's head, means that there is none
 * @thread: cp_get.thread of the last CP_IOC_GET that returned 1, 2 or 3
 * @thread_status: cp_get.status of the last one that returned 2
 * @asleep: cp_hold.nr_asleep of the last CP_IOC_HOLD
 * @unseen: cp_get.unseen of the last successful CP_IOC_GET
 * @missed: cp_get.missed of the last successful CP_IOC_GET
 * @reason: cp_get.reason of the CP_IOC_GET that found the pair over
 * @status: cp_get.status of the same call
 */
struct cp_pair {
	int		fd;
	void		*region;
	unsigned char	*mapped;
	size_t		region_size;
	size_t		thread_size;
	uint64_t	slot;
	pid_t		thread;
	int		thread_status;
	unsigned int	asleep;
	unsigned int	unseen;
	uint64_t	missed;
	unsigned int	reason;
	int		status;
};

/*
 * cp_pair_note() - store the results of a CP_IOC_GET in the handle
 * @pair: the handle
 * @get: the argument of the call
 * @ret: the return value of the call; if it is negative, errno must still be
 *	that of the call
 *
 * Separate from the call itself, because cp_get() makes the call without its
 * lock and stores the results with it.
 */
CP_HIDDEN void cp_pair_note(struct cp_pair *pair, const struct cp_get *get,
			    int ret);

/* cp_pair_deadline() - the deadline of a call, in @timeout_ns; negative: CP_FOREVER */
CP_HIDDEN uint64_t cp_pair_deadline(int64_t timeout_ns);

/*
 * cp_pair_part_of() - find the part of the region that an offset belongs to
 * @pair: the handle
 * @offset: from the region's start
 *
 * Return: the address of the part.
 */
CP_HIDDEN const char *cp_pair_part_of(const struct cp_pair *pair,
				      uint64_t offset);

/*
 * cp_pair_find() - find memory of the slave in the last checkpoint
 * @pair: the handle
 * @addr: address in the slave
 * @left: receives the number of bytes saved from @addr on
 *
 * Return: the address of the copy in the region, or NULL if no stack segment
 * holds @addr.
 */
CP_HIDDEN const void *cp_pair_find(const struct cp_pair *pair, uint64_t addr,
				   size_t *left);

#endif /* _PAIR_H */
