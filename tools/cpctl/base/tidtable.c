// SPDX-License-Identifier: GPL-2.0-only
/* Data of threads, by their ids. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "tidtable.h"

static int by_id(const void *a, const void *b)
{
	const pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

void *tidtable_find(const struct tidtable *table, pid_t id)
{
	void *const *node = tfind(&id, &table->root, by_id);

	return node ? *node : NULL;
}

void *tidtable_add(struct tidtable *table, pid_t id, size_t size)
{
	pid_t *entry = calloc(1, size);

	if (!entry)
		return NULL;
	*entry = id;
	if (!tsearch(entry, &table->root, by_id)) {
		free(entry);
		errno = ENOMEM;
		return NULL;
	}
	table->nr++;
	return entry;
}

void tidtable_remove(struct tidtable *table, void *entry)
{
	tdelete(entry, &table->root, by_id);
	table->nr--;
	free(entry);
}

/* struct walk - the arguments of tidtable_walk() */
struct walk {
	void	(*visit)(void *entry, void *arg);
	void	*arg;
};

static void visit_node(const void *node, VISIT which, void *arg)
{
	const struct walk *walk = arg;

	if (which == postorder || which == leaf)
		walk->visit(*(void *const *)node, walk->arg);
}

void tidtable_walk(const struct tidtable *table,
		   void (*visit)(void *entry, void *arg), void *arg)
{
	struct walk walk = { visit, arg };

	twalk_r(table->root, visit_node, &walk);
}

void tidtable_clear(struct tidtable *table, void (*release)(void *entry))
{
	tdestroy(table->root, release);
	table->root = NULL;
	table->nr = 0;
}
