/* SPDX-License-Identifier: GPL-2.0-only */
/* Recording a slave: what record and run --record do once they have a pair. */
#ifndef RECORDER_H
#define RECORDER_H

#include <checkpoint.h>

#include "recopts.h"

struct recorder;

/*
 * recorder_prep() - pair with a task in order to record it
 *
 * Return: 0, or -1 after saying what is wrong.
 */
int recorder_prep(struct cp_pair *pair, pid_t pid,
		  const struct record_options *options);

/*
 * recorder_open() - get ready, and see that the file can be written
 * @pair: the pair with the process; another one takes its place when the
 *	process executes another program
 * @follow: go on recording then
 *
 * Return: NULL after saying what is wrong.
 */
struct recorder *recorder_open(struct cp_pair **pair, pid_t pid, bool follow,
			       const struct record_options *options);

/*
 * recorder_begin() - have a child that is held begin its program
 *
 * It runs up to where its libraries are mapped, unless it might have to wait for
 * cpctl meanwhile, and is looked at there. It is still held afterwards.
 */
void recorder_begin(struct recorder *rec);

/*
 * recorder_run() - record until the process ends, and write the file
 *
 * Return: an exit status, after saying what is wrong.
 */
int recorder_run(struct recorder *rec);

/* recorder_close() - free all; NULL is allowed. Does not end the pair. */
void recorder_close(struct recorder *rec);

#endif /* RECORDER_H */
