/* SPDX-License-Identifier: GPL-2.0-only */
/* A list of process or thread ids, each of which is in it once. */
#ifndef PIDS_H
#define PIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* struct pids - a list of @nr ids; all zero at first */
struct pids {
	size_t	nr;
	pid_t	*ids;
};

/* pids_add() - add an id at the end, unless it is in the list; false without memory */
bool pids_add(struct pids *pids, pid_t id);

/* pids_has() - is the id in the list? */
bool pids_has(const struct pids *pids, pid_t id);

/* pids_free() - free the list, and zero the struct */
void pids_free(struct pids *pids);

#endif /* PIDS_H */
