/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of a recording after it was made. */
#ifndef RECSUMMARY_H
#define RECSUMMARY_H

#include <stdint.h>
#include <sys/types.h>

#include "recording.h"

/*
 * struct recsummary - a recording that was made
 * @pid: the process
 * @name: the name of its last program; empty if it is not known
 * @reason: CP_END_*
 * @status: with CP_END_EXITED, the status of waitpid(2)
 * @unseen: the number of threads and children that could not be recorded
 * @checkpoints: the number of checkpoints in the file
 * @missed: the number of checkpoints that were lost
 * @cut: the number of checkpoints whose stack is cut
 * @size: the size of the file
 */
struct recsummary {
	pid_t		pid;
	char		name[REC_NAME_SIZE];
	unsigned int	reason;
	int		status;
	unsigned int	unseen;
	uint64_t	checkpoints;
	uint64_t	missed;
	uint64_t	cut;
	uint64_t	size;
};

#endif /* RECSUMMARY_H */
