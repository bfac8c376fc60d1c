/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data of a living process that may end at any moment: the last consistent data
 * that could be read.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include "identity.h"
#include "recwriter.h"
#include "surroundings.h"
#include "threadnames.h"

/*
 * struct witness - the data of a process
 * @pid: the process, or one of its threads
 * @process: whether all threads of the process are recorded
 * @names: the names of the threads, if @process is true
 * @identity: the identity of the task
 * @around: its mappings, and the memory that debuggers need
 * @written: whether this data has been written to the recording
 */
struct witness {
	pid_t			pid;
	bool			process;
	struct threadnames	names;
	struct identity		identity;
	struct surroundings	around;
	bool			written;
};

/* witness_open() - begin without any data */
void witness_open(struct witness *witness, pid_t pid, bool process);

/*
 * witness_look() - read the data again
 *
 * The data is kept if the mappings have not changed, or if the process has ended.
 */
void witness_look(struct witness *witness);

/* witness_write() - write the data, unless @written is set; 0 or -1 */
int witness_write(struct witness *witness, struct recwriter *rec);

/* witness_close() - free the data */
void witness_close(struct witness *witness);

#endif /* WITNESS_H */
