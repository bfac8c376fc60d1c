/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of a living process that may end at any moment: the last that
 * could be read of it as a whole.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include "identity.h"
#include "recwriter.h"
#include "surroundings.h"

/*
 * struct witness - of a task
 * @pid: the task
 * @identity: who it is
 * @around: its mappings, and the memory that debuggers need
 * @told: the recording holds all of this
 */
struct witness {
	pid_t			pid;
	struct identity		identity;
	struct surroundings	around;
	bool			told;
};

/* witness_open() - begin: nothing is known */
void witness_open(struct witness *witness, pid_t pid);

/*
 * witness_look() - look again
 *
 * What was known stays when nothing has changed, and when it has ended.
 */
void witness_look(struct witness *witness);

/* witness_tell() - write it to a recording, unless that has it; 0 or -1 */
int witness_tell(struct witness *witness, struct recwriter *rec);

/* witness_close() - free what it holds */
void witness_close(struct witness *witness);

#endif /* WITNESS_H */
