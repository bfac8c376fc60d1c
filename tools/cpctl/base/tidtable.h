/* SPDX-License-Identifier: GPL-2.0-only */
/* Data of threads, by their ids. */
#ifndef TIDTABLE_H
#define TIDTABLE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * struct tidtable - entries, each of which begins with the id of its thread; all zero at
 * first
 * @root: the tree of tsearch(3)
 * @nr: number of entries
 */
struct tidtable {
	void	*root;
	size_t	nr;
};

/* tidtable_find() - the entry of a thread, or NULL */
void *tidtable_find(const struct tidtable *table, pid_t id);

/*
 * tidtable_add() - add an entry for a thread that has none
 * @size: the size of the entry, which is zeroed besides the id
 *
 * Return: the entry, or NULL with errno ENOMEM.
 */
void *tidtable_add(struct tidtable *table, pid_t id, size_t size);

/* tidtable_remove() - remove an entry, and free it */
void tidtable_remove(struct tidtable *table, void *entry);

/* tidtable_walk() - call @visit for each entry, in the order of the ids */
void tidtable_walk(const struct tidtable *table,
		   void (*visit)(void *entry, void *arg), void *arg);

/* tidtable_clear() - remove all entries; @release frees an entry and what it owns */
void tidtable_clear(struct tidtable *table, void (*release)(void *entry));

#endif /* TIDTABLE_H */
