/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The description of a snapshot: all but the memory. It is what the master reads at
 * CP_SNAPSHOT_HEAD of the snapshot's descriptor, in one piece of memory.
 */
#ifndef _CP_DESCRIPTION_H
#define _CP_DESCRIPTION_H

#include <linux/checkpoint.h>
#include <linux/types.h>

struct cp_pair;
struct cp_snapshot_thread;
struct mm_struct;

/**
 * struct cp_description - a description
 * @data:	a struct cp_snapshot_head, and what it points to; kvmalloc()ed
 * @size:	bytes used
 * @room:	bytes allocated
 * @switches:	for each thread: how many times it had left a CPU when it was found asleep;
 *		CP_NOT_ASLEEP for a thread that was held
 * @nr_threads:	number of threads that have been described
 * @max_threads: the most of them
 */
struct cp_description {
	char *data;
	size_t size;
	size_t room;
	u64 *switches;
	unsigned int nr_threads;
	unsigned int max_threads;
};

#define CP_NOT_ASLEEP	U64_MAX

int cp_description_make(struct cp_description *text, struct cp_pair *pair,
			struct mm_struct *mm);
int cp_description_layout(struct cp_description *text, struct mm_struct *mm);
bool cp_description_is_current(const struct cp_description *text,
			       struct cp_pair *pair);
const struct cp_snapshot_thread *
cp_description_thread(const struct cp_description *text, unsigned int i);
void cp_description_seal(struct cp_description *text, u64 time, u64 bytes);
void cp_description_free(struct cp_description *text);

/**
 * cp_description_mappings - the mappings of a description
 * @text: the description
 * @nr: set to their number
 *
 * Return: the first one; the others follow, in the order of addresses.
 */
static inline const struct cp_snapshot_mapping *
cp_description_mappings(const struct cp_description *text, unsigned int *nr)
{
	const struct cp_snapshot_head *head = (void *)text->data;

	*nr = head->nr_mappings;
	return (void *)(text->data + head->mappings_offset);
}

#endif /* _CP_DESCRIPTION_H */
