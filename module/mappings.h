/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mappings of a process, without what is in them; and how they are made the same again.
 *
 * A range whose mapping is the same, then and now, is kept. A range that was not mapped is
 * unmapped. Any other is mapped again, without its content: only anonymous memory without
 * special properties can be.
 */
#ifndef _CP_MAPPINGS_H
#define _CP_MAPPINGS_H

#include <linux/types.h>

struct cp_mapping;
struct mm_struct;

/**
 * struct cp_mappings - the mappings of a process
 * @at:		in the order of addresses
 * @nr:		their number
 * @brk:	end of the heap
 */
struct cp_mappings {
	struct cp_mapping *at;
	unsigned int nr;
	unsigned long brk;
};

enum cp_step_kind {
	CP_STEP_KEEP,	/* private memory, in place */
	CP_STEP_UNMAP,
	CP_STEP_MAP,	/* instead of what is there */
};

/**
 * struct cp_step - what to do with a range of addresses
 * @kind:	what
 * @start:	first address
 * @end:	first address after it
 * @flags:	with CP_STEP_MAP: of the mapping, VM_*
 */
struct cp_step {
	enum cp_step_kind kind;
	unsigned long start;
	unsigned long end;
	unsigned long flags;
};

/**
 * struct cp_steps - the way to the mappings of another time
 * @at:		in the order of addresses
 * @nr:		their number
 * @room:	number that @at has room for
 */
struct cp_steps {
	struct cp_step *at;
	unsigned int nr;
	unsigned int room;
};

int cp_mappings_make(struct cp_mappings *mappings, struct mm_struct *mm);
void cp_mappings_free(struct cp_mappings *mappings);
size_t cp_mappings_bytes(const struct cp_mappings *mappings);
int cp_steps_find(struct cp_steps *steps, const struct cp_mappings *mappings,
		  struct mm_struct *mm);
int cp_steps_take(const struct cp_steps *steps, const struct cp_mappings *mappings);
void cp_steps_free(struct cp_steps *steps);

#endif /* _CP_MAPPINGS_H */
