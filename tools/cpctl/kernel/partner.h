/* SPDX-License-Identifier: GPL-2.0-only */
/* The partner of a process, from the fdinfo of open files of the device. */
#ifndef PARTNER_H
#define PARTNER_H

#include <stdbool.h>
#include <sys/types.h>

/* struct partner - a pair, as the ids of its two processes */
struct partner {
	pid_t master;
	pid_t slave;
};

/*
 * partner_find() - find the pair whose master or slave is @process
 *
 * This function reads only the files of processes that the caller may inspect. Return:
 * false if none of them is a file of that pair.
 */
bool partner_find(pid_t process, struct partner *partner);

#endif /* PARTNER_H */
