/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of a process's threads, even of some that have ended. */
#ifndef THREADNAMES_H
#define THREADNAMES_H

#include "tidtable.h"

/*
 * struct threadnames - the names; all zero at first
 * @table: the names, by thread
 * @looks: how many times they have been read
 */
struct threadnames {
	struct tidtable	table;
	unsigned long	looks;
};

/*
 * threadnames_look() - read the names of all threads of a process
 *
 * Names of threads that have ended are kept as long as the pair may have kept
 * their checkpoints, see CP_ENDED_KEPT.
 */
void threadnames_look(struct threadnames *names, pid_t process);

/* threadnames_find() - the name of a thread, or NULL if it is not known */
const char *threadnames_find(const struct threadnames *names, pid_t id);

/* threadnames_free() - forget all names */
void threadnames_free(struct threadnames *names);

#endif /* THREADNAMES_H */
