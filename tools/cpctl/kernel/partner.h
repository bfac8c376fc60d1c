/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is paired with whom, as far as open files of the device tell. */
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
 * partner_find() - the pair that a process is in, as either of the two
 *
 * Return: false when none is found. Only files of processes that the caller
 * may look into are seen.
 */
bool partner_find(pid_t process, struct partner *partner);

#endif /* PARTNER_H */
