/* SPDX-License-Identifier: GPL-2.0-only */
/* The checkpoints of a recording, one after another. */
#ifndef RECORDED_H
#define RECORDED_H

#include "stream.h"

/*
 * recorded_open() - open a recording
 * @number: the number of the first checkpoint, as for playback_find(); 0 to begin with
 *	the first one of the recording
 *
 * The caller has called interrupt_catch(). Return: NULL after printing the reason.
 */
struct stream *recorded_open(const char *path, int64_t number,
			     const struct stream_options *options);

#endif /* RECORDED_H */
