/* SPDX-License-Identifier: GPL-2.0-only */
/* The last states of the threads of a recording. */
#ifndef LASTS_H
#define LASTS_H

#include "instant.h"
#include "playback.h"

/*
 * lasts_read() - collect the last states of all threads
 * @play: the recording, before its first checkpoint
 * @limit: the number of the checkpoint up to which to read; 0 for the whole recording
 * @instant: receives the states of all threads that a signal has killed, or that had not
 *	ended; of the last checkpoint alone if there are no such threads. The first one is
 *	the thread of checkpoint @limit; without a limit, the thread that caused the death,
 *	or the main thread. The others are sorted by their ids
 *
 * @play is at one of these checkpoints then. Return: false after printing the reason.
 */
bool lasts_read(struct playback *play, uint64_t limit, struct instant *instant);

#endif /* LASTS_H */
