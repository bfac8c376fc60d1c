/* SPDX-License-Identifier: GPL-2.0-only */
/* Recording a slave: the common part of record PID and record COMMAND. */
#ifndef RECORDER_H
#define RECORDER_H

#include <checkpoint.h>

#include "recopts.h"

struct recorder;

/*
 * recorder_catch() - from here on, SIGUSR1 asks for the file
 *
 * Call this before the pair is made: a user who sees the pair may send the signal at once.
 */
void recorder_catch(void);

/*
 * recorder_open() - prepare, and check that the file can be written
 * @pair: the pair that recprep() has made, or is to make before recorder_run(); set to a
 *	new pair when the process executes another program and @follow is true
 * @follow: whether to continue the recording after an exec
 *
 * Return: NULL after printing the reason.
 */
struct recorder *recorder_open(struct cp_pair **pair, pid_t pid, bool follow,
			       const struct record_options *options);

/*
 * recorder_begin() - let a held child begin its program
 *
 * The child runs to its entry point, where its libraries are mapped, and this function
 * reads its surroundings there. With @wait of struct record_options the child does not
 * run: it could block because its slots are full. The child is held afterwards.
 */
void recorder_begin(struct recorder *rec);

/*
 * recorder_run() - record until the process ends, and write the file
 *
 * Return: an exit status; on failure after printing the reason.
 */
int recorder_run(struct recorder *rec);

/* recorder_close() - free @rec, without ending the pair; NULL is allowed */
void recorder_close(struct recorder *rec);

#endif /* RECORDER_H */
